/* Training objectives of MorphoSeg (Zhang et al. 2025, section 3.3 and 5.4).
 *
 * Up to five losses: cross entropy and Dice of the logits, equations (10) to (12),
 * both of the logits with virtual outliers, equations (13) to (15), and that of the
 * flows where a network has them (Stringer et al., Nature Methods 18, 2021).  Every
 * objective is a weighted sum of them; what differs is where the weights come
 * from.  Weights are constants: no gradient flows through them. */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include "core/err.h"
#include "nn/nn.h"

enum loss_term { LOSS_CE, LOSS_DICE, LOSS_CE_OUT, LOSS_DICE_OUT, LOSS_FLOW, LOSS_TERMS };

enum loss_objective {
    LOSS_BALANCE,          /* equation (16), inner weights 1/2 each: 1/4 each by default */
    LOSS_BALANCE_RELEASED, /* 0.3, 0.3, 0.2, 0.2, as released */
    LOSS_NORM,             /* equation (17): each divided by its own value */
    LOSS_PARETO,           /* equation (18): each scaled to the value of the cross entropy */
    LOSS_PARETO_RELEASED,  /* the plain sum, as released */
    LOSS_MGDA,             /* min-norm point of the gradients (Sener and Koltun 2018) */
};

/* "balance", "norm", "pareto", "mgda", with ":released" where the code that was
 * released differs. */
int loss_objective_parse(enum loss_objective *objective, const char *text,
                         struct err *err) MUST_CHECK;

struct loss_options {
    enum loss_objective objective;
    double lambda, beta; /* of the plain losses, flows among them, and of the outlier losses; 0
                            stands for the default: 1/2 each with LOSS_BALANCE, else 1 */
};

/* Cross entropy, mean over pixels (equation 11), of logits B x K x H x W and
 * target B x H x W (int64). */
nn_tensor *loss_ce(const nn_tensor *logits, const nn_tensor *target);

/* 1 - (2 sum p t + s) / (sum p^2 + sum t^2 + s) for each class over the whole batch,
 * s = 1e-5, mean over the classes (equation 10; as TransUNet's code). */
nn_tensor *loss_dice(const nn_tensor *logits, const nn_tensor *target);

/* Half the mean square of what flows B x 2 x H x W lack to 5 times the unit flows
 * `target`, over the images whose `taught`, B x 1 x 1 x 1, is 1 and not 0. */
nn_tensor *loss_flow(const nn_tensor *flows, const nn_tensor *target, const nn_tensor *taught);

/* The point a of the simplex where a' M a is least, M being n x n, symmetric,
 * positive semidefinite, n at most LOSS_TERMS.  Exact: all faces are tried. */
void loss_min_norm(const double *gram, int n, double *weights);

struct loss_result {
    nn_tensor *total;                             /* temporary, with gradient */
    double value[LOSS_TERMS], weight[LOSS_TERMS]; /* 0 where there is none */
};

/* What an objective is of.  All that may be NULL says so. */
struct loss_input {
    const nn_tensor *logits;    /* B x K x H x W float32 */
    const nn_tensor *target;    /* B x H x W int64 */
    const nn_tensor *synthetic; /* logits with outliers, or NULL */
    const nn_tensor *flows;     /* B x 2 x H x W float32, or NULL; else also the next two */
    const nn_tensor *flow_target, *taught;
    const nn_tensor *answer; /* what LOSS_MGDA's gradients are by; NULL: the logits */
};

int loss_objective_of(const struct loss_options *options, const struct loss_input *input,
                      struct loss_result *result, struct err *err) MUST_CHECK;

#endif
