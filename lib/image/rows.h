/* An image or a mask read from above, with only as wide a band of its rows in
 * memory as is needed just now, its channels converted. */
#ifndef IMAGE_ROWS_H
#define IMAGE_ROWS_H

#include "core/array.h"
#include "core/band.h"
#include "core/channels.h"
#include "image/image.h"

struct rows {
    struct image_reader *reader;
    const struct image_info *info; /* of the file; borrowed from the reader */
    enum dtype dtype;              /* uint8, uint16, uint32 (labels), float32 */
    enum channels_wish wish;
    int channels;         /* after conversion; 0 when it cannot be done */
    struct band band;     /* the resident rows, width x channels */
    int64_t next_row;     /* the file's next */
    unsigned char *chunk; /* rows as they are in the file */
    int64_t chunk_rows;
    bool labels;      /* a mask: one channel, or several that must be equal */
    uint32_t maximum; /* a mask whose only values are 0 and this one: kept as 0 and 1 */
};

/* rows_open: an image; rows_open_mask: a mask, one channel of labels.  Ended with
 * rows_close, also after a failure; a zero-initialised one is fine. */
int rows_open(struct rows *rows, const char *path, enum channels_wish wish,
              struct err *err) MUST_CHECK;
int rows_open_mask(struct rows *rows, const char *path, struct err *err) MUST_CHECK;
void rows_close(struct rows *rows);

/* STATUS_DATA when it is no image but labels, or its channels cannot be made RGB. */
int rows_check_image(const struct rows *rows, const char *path, struct err *err) MUST_CHECK;

/* STATUS_DATA when the mask has fractions, or not the size of the image. */
int rows_check_mask(const struct rows *mask, const struct rows *image, const char *path,
                    struct err *err) MUST_CHECK;

/* Makes rows [top, bottom) of the image resident, `bottom` cut to its height;
 * `top` never goes back. */
int rows_need(struct rows *rows, int64_t top, int64_t bottom, struct err *err) MUST_CHECK;

/* The window of width x height pixels at (x, y) as a new array, H x W for masks, else
 * H x W x C; what is outside of the image is 0.  Its rows must be resident. */
int rows_window(const struct rows *rows, int64_t x, int64_t y, int64_t width, int64_t height,
                struct array *window, struct err *err) MUST_CHECK;

/* Reads the file anew from end to end as `like` was opened, and shows `look` all
 * values, n at a time, until it returns false. */
int rows_scan(const char *path, const struct rows *like,
              bool (*look)(void *data, const void *values, size_t n), void *data,
              struct err *err) MUST_CHECK;

/* Masks drawn as black and white (0 and 255, or 65535) have the labels 0 and 1:
 * reads the whole mask once and sets mask->maximum when it is such a one.  To be
 * called before the first rows_need. */
int rows_find_black_and_white(const char *path, struct rows *mask, struct err *err) MUST_CHECK;

#endif
