/* Images that belong together: in two folders, with the same stem. */
#ifndef IMAGE_PAIRS_H
#define IMAGE_PAIRS_H

#include <stddef.h>

#include "image/folder.h"

/* Puts the path of the mask of `image` into `path`: the folder's file of the image's
 * stem and `suffix`, else of its stem alone, that ends in png, tif or tiff.
 * STATUS_NO_INPUT when there is none. */
int pairs_find_mask(const char *folder, const char *image, const char *suffix, char *path,
                    size_t size, struct err *err) MUST_CHECK;

/* Two folders.  Every file is in one of the lists; paths and stems are the folders'. */
struct pairs {
    struct folder a, b;
    struct pair {
        const char *stem, *a, *b; /* a or b is NULL in a list of single files */
    } * matched, *single;         /* in the order of their stems, those of a first */
    size_t matched_count, single_count;
};

/* suffix_a, suffix_b: what the files' stems end with, which is cut off.  STATUS_NO_INPUT
 * when there is no file of such a name in folder a.  The caller frees it. */
int pairs_match(struct pairs *pairs, const char *folder_a, const char *suffix_a,
                const char *folder_b, const char *suffix_b, struct err *err) MUST_CHECK;
void pairs_free(struct pairs *pairs);

#endif
