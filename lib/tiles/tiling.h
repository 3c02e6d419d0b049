/* lib/tiles: one image as many tiles: cutting it, and putting it together again from a stream,
 * blended, as a file, or as a picture in memory that other programs measure. How a stream is read
 * is for stream, what is drawn over an image for draw. Many files: each way from tiles to an image
 * has its steps. */

/* Tiles of several sizes over one image, in the order of their first rows, so that
 * the image can be read once from above. */
#ifndef TILES_TILING_H
#define TILES_TILING_H

#include "tiles/grid.h"

#define TILING_MAX_SIZES 32

/* How tile(1) cuts unless it was told otherwise, and how networks look at whole images. */
#define TILING_SIZE    224
#define TILING_OVERLAP 56

/* How images are cut, in pixels. */
struct tiling_options {
    int64_t sizes[TILING_MAX_SIZES]; /* 0 is the full image */
    int size_count;
    struct grid_overlap overlap;
    bool overlap_is_cut; /* a quarter of the size where the overlap would be more */
    enum grid_edge edge;
    int64_t part, parts; /* 1 to parts, by whole rows of tiles */
};

#define TILING_DEFAULT                                                                             \
    {                                                                                              \
        .sizes = {TILING_SIZE}, .size_count = 1, .overlap = {.amount = TILING_OVERLAP},            \
        .overlap_is_cut = true                                                                     \
    }

struct tiling {
    int size_count;
    int64_t width, height; /* of the image */
    int64_t count;         /* tiles, of all parts */
    struct tiling_level {
        int64_t size; /* 0 is the full image */
        struct grid grid;
        int64_t row, end;    /* rows of tiles still to be cut */
        int64_t first_index; /* of its tiles among all of the image */
    } levels[TILING_MAX_SIZES];
};

/* A tile's place; it may reach past the image, to the right and below. */
struct tiling_window {
    int64_t x, y, width, height;
    int64_t pad_right, pad_bottom; /* what is outside */
    int64_t index;                 /* among all tiles of the image */
};

/* STATUS_USAGE when an overlap leaves no step for a size. */
int tiling_check(const struct tiling_options *options, struct err *err) MUST_CHECK;
int tiling_new(struct tiling *tiling, const struct tiling_options *options, int64_t width,
               int64_t height, struct err *err) MUST_CHECK;

/* The level whose next row of tiles begins highest in the image; NULL when all is
 * cut.  The caller adds 1 to its `row`. */
struct tiling_level *tiling_next(struct tiling *tiling);

/* The tile of that column in the level's next row. */
struct tiling_window tiling_window(const struct tiling *tiling, const struct tiling_level *level,
                                   int64_t column);

#endif
