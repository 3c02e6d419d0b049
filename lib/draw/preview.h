/* A small picture of an image for people to look at, and what can be said of the image
 * without knowing what it shows. */
#ifndef DRAW_PREVIEW_H
#define DRAW_PREVIEW_H

#include <stdint.h>

#include "core/array.h"

struct preview {
    int64_t width, height;            /* of the image, pixels */
    double pixel_width, pixel_height; /* micrometers, 0 when unknown */
    double mean;                      /* of all values, as stored */
    double saturated;                 /* share of values that are the largest of an integer type */
    double contrast;                  /* standard deviation over mean; 0 for a constant image */
    double sharpness;                 /* standard deviation of the picture's Laplacian over its
                                         own: small for what is out of focus; compares images of
                                         one size and kind; 0 for a constant image */
    struct array picture;             /* h x w x 1 or 3, uint8; its longer side at most `side` */
};

/* Reads the image, of which no more than a row and the picture is in memory.  8-bit values
 * are shown as they are, others between their 0.1 and 99.9 percentiles, which are those of
 * at most 65,536 values spread over the image.  The caller ends it with preview_free, also
 * after a failure. */
int preview_make(struct preview *preview, const char *path, int64_t side,
                 struct err *err) MUST_CHECK;
void preview_free(struct preview *preview);

/* Writes the picture as PNG, smoothly made smaller so that no side is over `side`. */
int preview_write(const struct preview *preview, int64_t side, const char *path,
                  struct err *err) MUST_CHECK;

#endif
