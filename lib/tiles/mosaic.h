/* One image out of tiles that come in the order of their rows: averaged where they
 * overlap (tiles/blend.h), or pasted, the last tile on top.  Rows are given away as they
 * are finished; only those between are in memory. */
#ifndef TILES_MOSAIC_H
#define TILES_MOSAIC_H

#include <stdbool.h>

#include "core/array.h"
#include "core/band.h"
#include "tiles/blend.h"

struct mosaic_options {
    int64_t width, height;
    bool blended; /* planes x h x w, or h x w, of float16 or float32; else pasted:
                     h x w x planes, or h x w, of `dtype` */
    bool labels;  /* pasted ones are labels: brought to another size without new values */
    size_t planes;
    enum dtype dtype;
    enum blend_mode blend;
};

struct mosaic {
    struct mosaic_options options;
    struct blend blend;
    struct band pixels, covered; /* pasted rows, and a byte a pixel, 1 where a tile was */
    int64_t next_row;            /* the first that was not given away */
    int64_t uncovered;           /* pixels of the rows before that no tile had */
    float *row;                  /* planes x width */
};

/* The caller ends it with mosaic_free, also after a failure. */
int mosaic_new(struct mosaic *mosaic, const struct mosaic_options *options,
               struct err *err) MUST_CHECK;
void mosaic_free(struct mosaic *mosaic);

/* Adds a tile with its corner at (x, y) that takes up width x height pixels there; it is
 * brought to that size, at most 128 times its own.  STATUS_DATA when it begins above
 * rows that were given away, or is of another kind. */
int mosaic_add(struct mosaic *mosaic, const struct array *tile, int64_t x, int64_t y, int64_t width,
               int64_t height, struct err *err) MUST_CHECK;

/* Bytes that a row takes while it is in memory, and the first row that no tile has
 * reached. */
size_t mosaic_row_bytes(const struct mosaic *mosaic);
int64_t mosaic_bottom(const struct mosaic *mosaic);

/* Takes `count` rows that follow each other: blended ones one by one, planes x width
 * floats; pasted ones as they are.  They may be changed. */
typedef int mosaic_take(void *user, void *rows, int64_t count, struct err *err);

/* Gives all rows above `until` away, and forgets them. */
int mosaic_give(struct mosaic *mosaic, int64_t until, mosaic_take *take, void *user,
                struct err *err) MUST_CHECK;

/* Forgets all rows above `until` that were not given away. */
void mosaic_skip(struct mosaic *mosaic, int64_t until);

#endif
