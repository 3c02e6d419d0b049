/* Training objectives of MorphoSeg (Zhang et al. 2025, section 3.3 and 5.4).
 *
 * Up to four losses: cross entropy and Dice of the logits, equations (10) to (12),
 * and both of the logits with virtual outliers, equations (13) to (15).  Every
 * objective is a weighted sum of them; what differs is where the weights come
 * from.  Weights are constants: no gradient flows through them. */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include "core/err.h"
#include "nn/nn.h"

enum loss_term { LOSS_CE, LOSS_DICE, LOSS_CE_OUT, LOSS_DICE_OUT, LOSS_TERMS };

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
    double lambda, beta; /* of the plain and of the outlier losses; 0 stands for the default:
                            1/2 each with LOSS_BALANCE, else 1 */
};

/* Cross entropy, mean over pixels (equation 11), of logits B x K x H x W and
 * target B x H x W (int64). */
nn_tensor *loss_ce(const nn_tensor *logits, const nn_tensor *target);

/* 1 - (2 sum p t + s) / (sum p^2 + sum t^2 + s) for each class over the whole batch,
 * s = 1e-5, mean over the classes (equation 10; as TransUNet's code). */
nn_tensor *loss_dice(const nn_tensor *logits, const nn_tensor *target);

/* Weights of `count` (2 or 4) losses from their values, and for LOSS_MGDA from the
 * Gram matrix of their gradients, count x count (NULL for the others). */
void loss_weights(const struct loss_options *options, int count, const double *values,
                  const double *gram, double *weights);

/* The point a of the simplex where a' M a is least, M being n x n, symmetric,
 * positive semidefinite, n at most LOSS_TERMS.  Exact: all faces are tried. */
void loss_min_norm(const double *gram, int n, double *weights);

struct loss_result {
    nn_tensor *total; /* temporary, with gradient */
    int count;        /* 2, or 4 with outliers */
    double value[LOSS_TERMS], weight[LOSS_TERMS];
};

/* The objective of logits B x K x H x W float32 and target B x H x W int64;
 * `synthetic`, logits with outliers, may be NULL. */
int loss_objective_of(const struct loss_options *options, const nn_tensor *logits,
                      const nn_tensor *synthetic, const nn_tensor *target,
                      struct loss_result *result, struct err *err) MUST_CHECK;

#endif
