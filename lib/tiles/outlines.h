/* The picture of a mask's outlines over the image that the same tiles have, as a file:
 * the image is put together of its tiles, the mask comes row by row (draw/overlay.h). */
#ifndef TILES_OUTLINES_H
#define TILES_OUTLINES_H

#include "draw/overlay.h"
#include "image/output.h"
#include "tiles/mosaic.h"

struct outlines {
    struct mosaic image;
    struct overlay *overlay;
    struct image_writer *writer;
    uint32_t *labels; /* the row of the mask that was given last */
    size_t width;     /* pixels */
};

/* mask: its size and its pixels' are the picture's; tile: h x w x C, one of the image's,
 * uint8, uint16 or float32.  The caller ends it with outlines_free, also after a
 * failure, and must not move the struct before. */
int outlines_begin(struct outlines *outlines, const struct image_output *to,
                   const struct image_info *mask, const struct array *tile,
                   struct err *err) MUST_CHECK;
void outlines_free(struct outlines *outlines);

/* A row of the mask, of 8, 16 or 32 bits a pixel, 0 the background. */
void outlines_take_mask(struct outlines *outlines, const void *row, int bits);

/* Draws the mask's row over row y of the image; rows follow each other, and those of the
 * image are forgotten. */
int outlines_draw(struct outlines *outlines, int64_t y, struct err *err) MUST_CHECK;

/* Draws what waits after the last row (draw/overlay.h), and writes it. */
int outlines_finish(struct outlines *outlines, struct err *err) MUST_CHECK;

/* Closes the file after that. */
int outlines_commit(struct outlines *outlines, struct err *err) MUST_CHECK;

#endif
