/* What a gallery knew of its images, so that the next run reads those alone that are new. */
#ifndef DRAW_GALLERY_CACHE_H
#define DRAW_GALLERY_CACHE_H

#include <stdbool.h>

#include "core/tsv.h"
#include "draw/gallery.h"

/* The table at `path`; without rows where there is none, or none of ours. */
void gallery_cache_read(struct tsv *cache, const char *path);

/* Whether the image's file is of the size and time that the table has; then the image gets what
 * gallery_describe would tell of it.  Rows are sorted by path. */
bool gallery_cache_find(const struct tsv *cache, struct gallery_image *image);

/* Writes the table of the images that were read, which are sorted; names that a table cannot
 * have, and files that are gone, are left out. */
int gallery_cache_write(const struct gallery *gallery, const char *path,
                        struct err *err) MUST_CHECK;

#endif
