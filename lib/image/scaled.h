/* Private to lib/image: an image scaled row by row to another size of its pixels: means over the
 * area of a new pixel, of labels the one in its middle. */
#ifndef IMAGE_SCALED_H
#define IMAGE_SCALED_H

#include "image/image.h"

struct scaled {
    bool is_on, is_discrete;
    struct image_info from; /* the image as it is */
    double across, down;    /* old pixels of a new one */
    int64_t next, row;      /* old rows read; new rows given */
    unsigned char *raw;     /* the last old row */
    float *held, *sums;     /* it with new columns; the new row */
};

/* Old rows from above; as image_read_rows. */
typedef int scaled_source(void *user, int64_t rows, void *to, struct err *err);

/* Sets info to what it becomes with pixels of um micrometers, which it has a size to compare with;
 * where that is as good as its own nothing is scaled. */
int scaled_begin(struct scaled *scaled, struct image_info *info, double um, bool is_discrete,
                 struct err *err) MUST_CHECK;
void scaled_rewind(struct scaled *scaled);
void scaled_end(struct scaled *scaled);

int scaled_rows(struct scaled *scaled, int64_t rows, void *to, scaled_source *source, void *user,
                struct err *err) MUST_CHECK;

#endif
