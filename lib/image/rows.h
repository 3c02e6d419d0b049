/* An image or a mask read from above, with only as wide a band of its rows in
 * memory as is needed just now, its channels converted. */
#ifndef IMAGE_ROWS_H
#define IMAGE_ROWS_H

#include "core/band.h"
#include "core/channels.h"
#include "core/peak.h"
#include "image/mask.h"

struct rows {
    struct image_reader *reader;   /* of an image, */
    struct mask mask;              /* or of a mask, which has one channel */
    const struct image_info *info; /* of the file; borrowed */
    enum dtype dtype;              /* uint8, uint16, float32; of masks uint32, too */
    enum channels_wish wish;
    const char *const *paths; /* of a joined image; borrowed */
    size_t path_count;
    int channels;     /* after conversion; 0 when it cannot be done */
    struct band band; /* the resident rows, width x channels */
    int64_t next_row; /* the file's next */
    void *chunk;      /* rows as they are in the file */
    int64_t chunk_rows;
    bool labels;
    uint32_t maximum; /* a mask whose only values are 0 and this one: kept as 0 and 1 */
};

/* An image; 32-bit integers become float.  Ended with rows_close, also after a failure; a
 * zero-initialized one is fine. */
int rows_open(struct rows *rows, const char *path, enum channels_wish wish,
              struct err *err) MUST_CHECK;
void rows_close(struct rows *rows);

/* The same of channels in files of their own (image/joined.h), or of one file with all of them. */
int rows_open_joined(struct rows *rows, const char *const *paths, size_t count,
                     enum channels_wish wish, struct err *err) MUST_CHECK;

/* The mask of an image, which must have its size.  Masks drawn as black and white (0 and 255, or
 * 65535) have the labels 0 and 1. */
int rows_open_mask(struct rows *mask, const char *path, const struct rows *image,
                   struct err *err) MUST_CHECK;

/* STATUS_DATA when its channels cannot be made gray or RGB. */
int rows_check_image(const struct rows *rows, const char *path, struct err *err) MUST_CHECK;

/* Makes rows [top, bottom) of the image resident, `bottom` cut to its height;
 * `top` never goes back. */
int rows_need(struct rows *rows, int64_t top, int64_t bottom, struct err *err) MUST_CHECK;

/* The window of width x height pixels at (x, y) as a new array, H x W for masks, else
 * H x W x C; what is outside of the image is 0.  Its rows must be resident.  peak: unless
 * NULL, the largest value in it as core/peak.h says, of uint16 and float32. */
int rows_window(const struct rows *rows, int64_t x, int64_t y, int64_t width, int64_t height,
                struct array *window, double *peak, struct err *err) MUST_CHECK;

/* Shows `look` all values of an image from above, n at a time: of a small one that was not read
 * yet, which becomes resident, else of its file at `path`, or its files, read anew from end to end
 * as `image` was opened. */
typedef void rows_look(void *data, const void *values, size_t n);
int rows_scan(const char *path, struct rows *image, rows_look *look, void *data,
              struct err *err) MUST_CHECK;

#endif
