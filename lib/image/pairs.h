/* Images that belong together: in two folders, with the same stem. */
#ifndef IMAGE_PAIRS_H
#define IMAGE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "image/folder.h"

/* Puts the path of the mask of `image` into `path`: the folder's file of the image's
 * stem and `suffix`, else of its stem alone, that ends in png, tif or tiff, or, where there is
 * no such file, in npy, npz or jpg, and isn't the image itself.  suffix NULL: what people's masks
 * end with, in this order: _mask, _masks, _cp_masks, _seg, _label, _labels, _labeled, _labeled,
 * and the same after a hyphen.  An image whose stem ends as nnU-Net numbers channels (_0000) may
 * have its mask under the stem without that.  STATUS_NO_INPUT when there is none, STATUS_DATA when
 * two of one name differ in their ending. */
int pairs_find_mask(const char *folder, const char *image, const char *suffix, char *path,
                    size_t size, struct err *err) MUST_CHECK;

/* Whether a file's name says that it is a mask or another result (_overlay, _outlines, _flows,
 * _cells, _prob) of an image that lies beside it, which goes to `image`. */
bool pairs_is_result(const char *path, char *image, size_t size);

/* The file of the folder that a mask is of: its stem without a mask's suffix, else its stem,
 * else nnU-Net's first channel; never the mask itself.  NULL: none.  Borrowed. */
const char *pairs_find_image(const struct folder *images, const char *mask);

/* Two folders.  Every file is in one of the lists; paths and stems are the folders'. */
struct pairs {
    struct folder a, b;
    struct pair {
        const char *stem, *a, *b; /* a or b is NULL in a list of single files */
    } * matched, *single;         /* in the order of their stems, those of a first */
    size_t matched_count, single_count;
};

/* suffix_a, suffix_b: what the files' stems end with, which is cut off; NULL: whatever masks do,
 * and where X_mask.png lies beside X.png, that is an image and isn't listed.  STATUS_NO_INPUT
 * when there is no file of such a name in folder a.  The caller frees it. */
int pairs_match(struct pairs *pairs, const char *folder_a, const char *suffix_a,
                const char *folder_b, const char *suffix_b, struct err *err) MUST_CHECK;
void pairs_free(struct pairs *pairs);

#endif
