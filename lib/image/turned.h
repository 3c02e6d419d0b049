/* Private to lib/image: an image turned as its orientation says (TIFF 6.0, tag 274; Exif). */
#ifndef IMAGE_TURNED_H
#define IMAGE_TURNED_H

#include "core/spill.h"
#include "image/image.h"

struct turned {
    int orientation;          /* 2 to 8: what the first row and column of the file are */
    struct image_info stored; /* the image as the file has it */
    struct spill pixels;      /* of it; none for 2, which is turned row by row */
};

/* The image's information after turning: sides and pixel sizes change places for 5 to 8. */
void turned_info(const struct turned *turned, struct image_info *info);

/* Whether rows can be turned one by one. */
bool turned_by_rows(const struct turned *turned);

/* Mirrors `rows` rows of the stored image in place. */
void turned_mirror(const struct turned *turned, int64_t rows, void *pixels);

/* Rows [first, first + rows) of the turned image; turned->pixels holds all of the stored one. */
void turned_rows(const struct turned *turned, int64_t first, int64_t rows, void *to);

#endif
