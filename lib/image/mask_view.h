/* Private to lib/image: the one number a pixel that a mask of several channels means. */
#ifndef IMAGE_MASK_VIEW_H
#define IMAGE_MASK_VIEW_H

#include "image/codec.h"

enum mask_view_kind {
    MASK_VIEW_FIRST,   /* the only channel, or gray in three */
    MASK_VIEW_ALPHA,   /* the colors are all the same, the mask is in the alpha channel */
    MASK_VIEW_VISIBLE, /* the first, and 0 where alpha says that nothing is to be seen */
    MASK_VIEW_GRAYS,   /* the gray that a palette gives */
    MASK_VIEW_COLORED  /* of two colors the one that is not black: 255, else 0 */
};

struct mask_view {
    enum mask_view_kind kind;
    const struct image_info *info; /* borrowed */
    const struct palette *palette; /* borrowed */
    bool is_lossy;                 /* a JPEG: gray is what is nearly gray */
};

/* One number a pixel, 8, 16 or 32 bits as the file has (floats stay floats); false when a pixel
 * is colored, which only MASK_VIEW_COLORED allows. */
bool mask_view_row(const struct mask_view *view, const void *row, void *to);

/* What was seen of an image whose view is to be chosen. */
struct mask_colors {
    bool seen, colors_vary, alpha_varies;
    uint32_t first[4];    /* pixel */
    uint32_t found[3][3]; /* colors, at most three */
    int count;
};

void mask_colors_row(struct mask_colors *colors, const struct image_info *info, const void *row);

/* Whether there are two colors, one of them black. */
bool mask_colors_are_two(const struct mask_colors *colors);

#endif
