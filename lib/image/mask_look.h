/* Private to lib/image: a look at the values of a mask, to know what they mean. */
#ifndef IMAGE_MASK_LOOK_H
#define IMAGE_MASK_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/array.h"

/* What was seen.  A value between is neither 0 nor white; it is middling when it is not near
 * to them either.  It is flat where its neighbors to the left and above are the same: labels are
 * flat, edges that were smoothed, scaled or went through a JPEG are not. */
struct mask_look {
    enum dtype dtype; /* uint8, uint16, uint32 or float32 */
    size_t width;
    uint64_t pixels, white, between, middling, light, flat;
    bool has_zero;
    bool is_mixed;        /* of 32 bits and floats: several values but 0 */
    uint32_t maximum;     /* of floats: the only value but 0, while there is one */
    uint8_t values[8192]; /* of 8 and 16 bits, a bit each: which were seen */
    /* of floats */
    uint64_t nans, voids, fractions;
    double least, most, fraction; /* the first that is no whole number */
    void *above;                  /* the row before, if it had values between */
    bool has_above;
};

int mask_look_begin(struct mask_look *look, enum dtype dtype, size_t width,
                    struct err *err) MUST_CHECK;
void mask_look_end(struct mask_look *look);

/* The next row, one number a pixel.  False when it is clear that these are labels, and no more
 * rows need to be shown. */
bool mask_look_row(struct mask_look *look, const void *row);

/* Of 8 and 16 bits: what white is, and how many values lie between. */
uint32_t mask_look_white(const struct mask_look *look);
int mask_look_between(const struct mask_look *look);

/* Whether nothing but 0 and white was seen, and white was; of 32 bits and floats white is what it
 * is in 8, 16 or 32 bits, if it is the only value. */
bool mask_look_is_black_and_white(const struct mask_look *look);

/* Whether it is black and white with edges between: not classes, which are flat, and not some
 * few values, which are classes drawn as lines. */
bool mask_look_is_smoothed(const struct mask_look *look);

/* Whether values differ from pixel to pixel as those of photographs do. */
bool mask_look_is_picture(const struct mask_look *look);

#endif
