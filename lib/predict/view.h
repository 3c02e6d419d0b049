/* A network that looks at parts of an image. */
#ifndef PREDICT_VIEW_H
#define PREDICT_VIEW_H

#include "predict/windows.h"

/* All borrowed. */
struct view {
    struct model *model;
    int device;
    const struct inference_options *what;
    const struct windows_image *image;
    double offset, gain; /* see inference_input */
};

/* What the network says of n parts of one size, as one batch, in the image's pixels: new results.
 * They are shown at that scale; with what is around them where they have less than height x width
 * pixels then, see window_cut.  On failure there are no results. */
int view_parts(const struct view *view, const struct windows_part *parts, size_t n, double scale,
               int64_t height, int64_t width, struct inference_result *results,
               struct err *err) MUST_CHECK;

#endif
