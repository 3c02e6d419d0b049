/* Which images to annotate next: those that a network is unsure of, and no two alike.
 *
 * Greedily: the first is the one with the highest score; each next one has the highest score times
 * its distance to the nearest one chosen (farthest-first traversal, Gonzalez, Theor. Comput. Sci.
 * 38, 1985, weighted), both as shares of the largest. */
#ifndef SCORES_CHOOSE_H
#define SCORES_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define CHOOSE_BINS     16
#define CHOOSE_FEATURES (2 * CHOOSE_BINS + 1)

/* What is known of an image. */
struct choose_image {
    double unsure;  /* mean uncertainty where there may be cells, 0 to 1; 0 where nothing may be */
    double covered; /* share of pixels that are foreground */
    float features[CHOOSE_FEATURES]; /* histograms of intensity and of probability, each of sum 1;
                                        `covered` */
};

/* Measures height x width pixels: `intensity` from 0 to 1, probabilities of foreground and
 * uncertainties as picture.h has them. */
void choose_measure(struct choose_image *image, const float *intensity, const float *foreground,
                    const float *uncertainty, size_t pixels);

struct choice {
    size_t image;
    double score;    /* unsure x distance, as shares of the largest */
    double distance; /* to the nearest that was chosen or done before, 0 to about 1.7; NaN: none */
};

/* The `count` images, at most all that are not done, in the order of choice.  done: count values,
 * or NULL.  Returns how many were chosen, or -1. */
int64_t choose_images(const struct choose_image *images, const bool *done, size_t image_count,
                      struct choice *choices, size_t count, struct err *err) MUST_CHECK;

#endif
