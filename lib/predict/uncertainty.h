/* How unsure a network is of each pixel: measures in [0, 1], 0 for sure.
 *
 * Each takes logits or probabilities, B x K x H x W, and gives B x H x W, a temporary
 * of the caller's scope; NULL when libtorch fails. */
#ifndef PREDICT_UNCERTAINTY_H
#define PREDICT_UNCERTAINTY_H

#include "nn/nn.h"
#include "predict/gaussians.h"

#define UNCERTAINTY_WORDS "entropy|mahalanobis|energy|tta"

enum uncertainty {
    UNCERTAINTY_ENTROPY,
    UNCERTAINTY_MAHALANOBIS,
    UNCERTAINTY_ENERGY,
    UNCERTAINTY_TTA, /* what the eight views of a tile disagree about; see inference.h */
    UNCERTAINTY_NONE,
};

/* - sum p log p / log K: a share of the entropy of equal probabilities. */
nn_tensor *uncertainty_entropy(const nn_tensor *prob);

/* Of the free energy E = - log sum exp(logit) (Liu et al., NeurIPS 2020): 1 / (1 + exp(-E)),
 * which is what a further class with a logit of 0 would get of the softmax. */
nn_tensor *uncertainty_energy(const nn_tensor *logits);

/* d / (1 + d), d = D^2 / K, D being the Mahalanobis distance to the nearest class (Lee et
 * al., NeurIPS 2018): 1/2 at the mean square distance of what the Gaussians were made of. */
nn_tensor *uncertainty_mahalanobis(const nn_tensor *logits, const struct gaussians *g);

#endif
