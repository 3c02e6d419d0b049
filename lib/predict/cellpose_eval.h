/* Cellpose's way through an image: scaled so that cells have the diameter that the
 * network was trained on, in overlapping tiles whose answers are averaged with
 * weights that fall towards their edges, and scaled back. */
#ifndef PREDICT_CELLPOSE_EVAL_H
#define PREDICT_CELLPOSE_EVAL_H

#include "model/model.h"

/* Pixels that the network's training scaled cells to ("diam_mean"), and the mean
 * diameter of its training images before that ("diam_labels"). */
int cellpose_diameters(const struct model *model, double *mean, double *labels,
                       struct err *err) MUST_CHECK;

/* Sets them. */
int cellpose_set_diameters(struct model *model, double mean, double labels,
                           struct err *err) MUST_CHECK;

/* x: 1 x C x H x W of any size, on the model's device; scale: of the image, the mean
 * diameter over that of the image's cells.  The model is prepared, or gradients are
 * off.  A temporary 1 x 3 x H x W, or NULL. */
nn_tensor *cellpose_eval(struct model *model, const nn_tensor *x, double scale, struct err *err);

/* The style of such an image, seen as it is (scale 1): the sum of its tiles' styles,
 * made 2-norm 1 again.  A temporary of so many elements, or NULL. */
nn_tensor *cellpose_style(struct model *model, const nn_tensor *x, struct err *err);

#endif
