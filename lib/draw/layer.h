/* Images and masks of a figure as they are read: row by row, shrunk to what is drawn, images
 * as RGB from black to white. */
#ifndef DRAW_LAYER_H
#define DRAW_LAYER_H

#include <stdbool.h>

#include "draw/figure.h"
#include "image/image.h"
#include "image/mask.h"

/* Rows of labels are kept as many as outlines need. */
struct layer {
    const char *path;            /* borrowed */
    struct image_reader *reader; /* of an image, */
    struct mask mask;            /* or of a mask; else it was not opened */
    struct image_info info;
    size_t factor;        /* of shrinking */
    size_t width, height; /* shrunk */
    void *raw;            /* a row of the file */
    void *block;          /* `factor` rows as RGB or labels, not shrunk */
    void *rows;           /* `kept` shrunk rows, row y in place y % kept */
    size_t kept, next;    /* next: the first shrunk row that was not read */
    int colors;           /* of an image: channels shown, 1 or 3 */
    double low, high;     /* of an image: what is shown black and white */
    float *values;        /* of an image: a row */
    /* gets rows as they are read, from row y on, not shrunk: RGB, or uint32_t; or NULL */
    void (*keep)(void *user, size_t y, size_t rows, const void *block);
    void *user;
};

struct layer_options {
    int64_t max_side; /* pixels; shrink until no side is longer; 0: not */
    bool stretch;     /* images of 8 bits, too: others always are */
    double range[2];  /* percentiles shown black and white */
};

/* Opens an image, and reads it once or twice more to find its range.  The caller ends it with
 * layer_close, also after a failure; a zeroed one is fine. */
int layer_open_image(struct layer *layer, const char *path, const struct layer_options *options,
                     struct err *err) MUST_CHECK;

/* Opens a mask for outlines of `line` pixels; STATUS_DATA when it is not as large as the image. */
int layer_open_mask(struct layer *layer, const char *path, const struct layer *image, int line,
                    struct err *err) MUST_CHECK;
void layer_close(struct layer *layer);

/* The next row of the image as width x 3 bytes, in `rows`. */
int layer_next_row(struct layer *image, struct err *err) MUST_CHECK;

/* Pointers to the mask's rows y - line to y + line, NULL beyond it. */
int layer_rows_around(struct layer *mask, size_t y, int line, const uint32_t **rows,
                      struct err *err) MUST_CHECK;

#endif
