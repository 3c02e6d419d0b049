/* Private to lib/image: rows of several planes projected into one. */
#ifndef IMAGE_FOLD_H
#define IMAGE_FOLD_H

#include "image/image.h"
#include "image/planes.h"

/* A row of the projection of `depth` planes. */
struct fold {
    enum planes_projection projection;
    size_t depth, n, added; /* n: samples of a row; planes that were added */
    const struct image_info *info;
    double *sums; /* n of them, for a mean */
};

/* info: of the planes, whose rows are added; sums: as many as a row has samples.  All borrowed. */
struct fold fold_new(enum planes_projection projection, size_t depth, const struct image_info *info,
                     double *sums);

/* Where the next plane's row is to be read: `folded` itself for the first, unless it is a mean. */
void *fold_target(const struct fold *fold, void *folded, void *row);

/* Adds it; after the last `folded` is the projection.  What is no number counts only where all
 * are. */
void fold_add(struct fold *fold, const void *row, void *folded);

#endif
