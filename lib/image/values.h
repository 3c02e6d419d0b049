/* The pixels of an image as floating point, row by row. */
#ifndef IMAGE_VALUES_H
#define IMAGE_VALUES_H

#include "image/image.h"

struct image_values {
    struct image_reader *reader;
    const struct image_info *info; /* of the file, borrowed */
    int channels;                  /* of the rows: without alpha, and no more than asked for */
    float scale;
    int64_t chunk_rows, chunk_at, row; /* rows read at a time, of which chunk_at is the next */
    unsigned char *chunk;
};

enum image_scale {
    IMAGE_AS_STORED,
    IMAGE_AS_SHARE, /* 8-bit / 255, 16-bit / 65535, floating point as it is */
};

/* The caller ends it with image_values_close, also after a failure. */
int image_values_open(struct image_values *values, const char *path, int max_channels,
                      enum image_scale scale, struct err *err) MUST_CHECK;
void image_values_close(struct image_values *values);

/* The next row, width x channels. */
int image_values_row(struct image_values *values, float *to, struct err *err) MUST_CHECK;

/* All rows of an image of which none was read, channels x height x width. */
int image_values_planes(struct image_values *values, float *to, struct err *err) MUST_CHECK;

/* STATUS_DATA unless the image has one channel of floating point, 8 or 16 bits. */
int image_values_check_shares(const struct image_values *values, const char *path,
                              struct err *err) MUST_CHECK;

#endif
