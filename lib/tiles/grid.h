/* Windows of one size over an image, in pixels.
 *
 * Each axis is cut alone: window i begins at i * step, where step is the size
 * less the overlap, until the axis is covered.  A window that would cross the
 * border
 *   GRID_SHIFT  moves inside, so that it ends where the image ends,
 *   GRID_PAD    stays, and reaches past the image,
 *   GRID_FIT    is left out, as in the training grid of MorphoSeg (section 4.2).
 * An image smaller than the window gets one window at 0 that reaches past it,
 * or none with GRID_FIT. */
#ifndef TILES_GRID_H
#define TILES_GRID_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

enum grid_edge { GRID_SHIFT, GRID_PAD, GRID_FIT };

struct grid_axis {
    int64_t length; /* of the image */
    int64_t size;   /* of a window */
    int64_t step;   /* between the beginnings of windows, 1 to size */
    int64_t count;  /* windows */
    enum grid_edge edge;
};

struct grid {
    struct grid_axis x, y;
};

/* How much neighbors share: pixels, or a percentage of the size. */
struct grid_overlap {
    double amount;
    bool is_percentage;
};

/* "56" or "35%".  STATUS_USAGE for anything else, or 100 % and more. */
int grid_parse_overlap(const char *text, struct grid_overlap *overlap, struct err *err) MUST_CHECK;

/* floor(size * (1 - overlap)); STATUS_USAGE when the overlap is not less than the size. */
int grid_step(int64_t size, const struct grid_overlap *overlap, int64_t *step,
              struct err *err) MUST_CHECK;

/* length, size and step are at least 1, step at most size. */
struct grid_axis grid_axis_new(int64_t length, int64_t size, int64_t step, enum grid_edge edge);
struct grid grid_new(int64_t width, int64_t height, int64_t size, int64_t step,
                     enum grid_edge edge);

/* One window that is the whole image. */
struct grid grid_whole(int64_t width, int64_t height);

/* Where window i of an axis begins. */
int64_t grid_start(const struct grid_axis *axis, int64_t i);

int64_t grid_count(const struct grid *grid);

/* The rows of windows, [*first, *end), that part `part` of `parts` has (1 to
 * parts): as equal as whole rows allow. */
void grid_part(const struct grid *grid, int64_t part, int64_t parts, int64_t *first, int64_t *end);

#endif
