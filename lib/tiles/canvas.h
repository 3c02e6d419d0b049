/* Tiles of one image put together again: probabilities, logits, flows and uncertainties
 * are averaged where tiles overlap, masks and images are pasted.  Pixels that no tile
 * covers are 0, background, in all.
 *
 * Tiles of a small image may come in any order.  When more than CANVAS_BAND bytes of
 * sums are needed, rows above the latest tile are finished and go into arrays that
 * may lie in a file (core/spill.h); then tiles must come in the order of their rows. */
#ifndef TILES_CANVAS_H
#define TILES_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/array.h"
#include "core/band.h"
#include "tiles/blend.h"
#include "tiles/picture.h"

#define CANVAS_BAND ((size_t)256 << 20)

struct canvas_rules {
    size_t width, height;
    size_t planes;        /* classes of the probabilities, 1 (the foreground alone) to 255 */
    bool has_uncertainty; /* of the tiles' own */
    bool has_flows;
    float threshold; /* 0: the most probable class */
    unsigned wanted; /* 1 << PICTURE_PREDICTION | ... */
    size_t band;     /* bytes of sums; 0: CANVAS_BAND */
};

/* A tile with its corner at (x, y), of height x width pixels there; arrays of another
 * size are brought to it first. */
struct canvas_tile {
    const struct array *values;      /* K x h x w, float16 or float32 */
    const struct array *uncertainty; /* h x w, or NULL */
    const struct array *flows;       /* 2 x h x w, float16 or float32, or NULL */
    const struct array *truth;       /* h x w of whole numbers, or NULL */
    const struct array *image;       /* h x w x C, or NULL */
    int64_t x, y;
    size_t height, width;
};

struct canvas {
    struct canvas_rules rules;
    struct blend values, uncertainty, flows;
    struct band truth, image; /* a row: width labels uint32; width pixels */
    struct array image_like;  /* type and channels of the images: 1 x 1 x C, no data */
    uint64_t tile_area;       /* pixels of the tiles added */
    int64_t next_row;         /* the first that is not finished */
    struct picture picture;   /* finished rows; name and size of pixels are the user's */
};

/* The caller ends it with canvas_free. */
int canvas_new(struct canvas *canvas, const struct canvas_rules *rules, struct err *err) MUST_CHECK;
void canvas_free(struct canvas *canvas);

int canvas_add(struct canvas *canvas, const struct canvas_tile *tile, struct err *err) MUST_CHECK;

/* Finishes all rows; *picture is the caller's, to be freed. */
int canvas_finish(struct canvas *canvas, struct picture *picture, struct err *err) MUST_CHECK;

#endif
