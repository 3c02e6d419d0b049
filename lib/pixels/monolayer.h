/* A sheet of cells that touch, for synth_draw: how cells grow that were left until they met.
 * Cells are what is nearest to each of many points (an additively weighted Voronoi diagram in a
 * stretched and gently bent plane, so that a cell is in one piece), islands of the sheet end
 * where smooth noise says so. */
#ifndef PIXELS_MONOLAYER_H
#define PIXELS_MONOLAYER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/rng.h"

struct monolayer {
    size_t width, height; /* pixels */
    double radius;        /* typical half width of a cell, pixels */
    double reach;         /* how far from its point a cell may end, radii */
    double coverage;      /* part of the points that have a cell, 0 to 1 */
    const float *noise;   /* side x side, mean 0, variance about 1, wraps around */
    size_t side;          /* a power of 2 */
};

/* Adds the cells' optical thickness to `thickness` and writes their numbers, 1 to *cells, to
 * `label`; both H x W.  The result depends on the arguments only. */
int monolayer_lay(const struct monolayer *sheet, struct rng *rng, float *thickness, uint32_t *label,
                  uint32_t *cells, struct err *err) MUST_CHECK;

#endif
