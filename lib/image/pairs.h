/* The mask that goes with an image: in another folder, with the same stem. */
#ifndef IMAGE_PAIRS_H
#define IMAGE_PAIRS_H

#include <stddef.h>

#include "core/err.h"

/* Puts the path of the mask of `image` into `path`: the folder's file of the image's
 * stem and `suffix`, else of its stem alone, that ends in png, tif or tiff.
 * STATUS_NO_INPUT when there is none. */
int pairs_find_mask(const char *folder, const char *image, const char *suffix, char *path,
                    size_t size, struct err *err) MUST_CHECK;

#endif
