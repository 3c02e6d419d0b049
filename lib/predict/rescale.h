/* The size at which a network sees an image best.
 *
 * A network knows cells of the sizes that it learned from.  It tells itself when cells are much
 * larger or smaller: its flows are short (a network that is not sure of a flow gives a short one)
 * and its probabilities near 1/2.  So a few windows of an image are shown at other sizes, too,
 * and where it is surer by far of one of these, the image is shown so.  How sure it is: the sum of
 * flow length * (2 p - 1) over pixels whose probability p of a cell is above 1/2, as a share of the
 * pixels whose p is above 0.2. */
#ifndef PREDICT_RESCALE_H
#define PREDICT_RESCALE_H

#include "predict/whole.h"

/* An image, or as much of it as is there. */
struct rescale_image {
    const struct view *view;      /* borrowed */
    struct grid windows;          /* of it as it is (scale 1) */
    int64_t count;                /* of them, those whose rows are there */
    struct whole_answer *answers; /* owned, one a window: of those that were seen to choose */
};

/* The rows above `known` are there.  The caller ends it with rescale_free, also after a failure. */
int rescale_new(struct rescale_image *image, const struct view *view, int64_t known,
                struct err *err) MUST_CHECK;
void rescale_free(struct rescale_image *image);

/* By what the image is scaled before the network sees it, 1/4 to 2; 1 when it is as sure as it is.
 * The network must give probabilities and flows, and be asked for both. */
int rescale_choose(struct rescale_image *image, double *scale, struct err *err) MUST_CHECK;

#endif
