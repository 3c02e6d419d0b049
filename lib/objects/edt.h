/* Exact Euclidean distance transform in linear time: for each pixel the distance
 * to the nearest site.  Columns first, then the lower envelope of parabolas in
 * each row (Meijster, Roerdink and Hesselink 2000; Felzenszwalb and Huttenlocher
 * 2012).  Exact for square pixels of size 1: squared distances are integers. */
#ifndef OBJECTS_EDT_H
#define OBJECTS_EDT_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct edt;

/* What is common to all rows.  sites: height x width bytes, a site where it is
 * not 0, borrowed for this call only; size_y, size_x: a pixel's height and width
 * in any one unit, above 0.  The caller frees it with edt_free. */
int edt_new(struct edt **edt, const uint8_t *sites, size_t height, size_t width, double size_y,
            double size_x, struct err *err) MUST_CHECK;

/* Takes other sites, of the same size. */
void edt_set_sites(struct edt *edt, const uint8_t *sites);

/* The squared distances of row y to the nearest site, `width` values into
 * `squared`; INFINITY everywhere when there is no site.  Rows in any order. */
void edt_row(struct edt *edt, size_t y, double *squared);

/* The same for `count` columns alone, one value each.  Faster where few are wanted and
 * sites are near. */
void edt_at(struct edt *edt, size_t y, const uint32_t *columns, size_t count, double *squared);

void edt_free(struct edt *edt);

/* The whole transform: `distance`, height x width, gets each pixel's distance to
 * the nearest site. */
int edt_distance(const uint8_t *sites, size_t height, size_t width, double size_y, double size_x,
                 float *distance, struct err *err) MUST_CHECK;

#endif
