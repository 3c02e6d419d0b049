/* The one reader of masks and label images: a number a pixel, 0 where nothing is.  What is read:
 *
 *   - whole numbers, also as floating point, are classes or cells as they are; NaN and -1, which
 *     some programs write for nothing, are 0;
 *   - three channels that are the same are gray; of two colors, one of them black, the other is
 *     white; more colors are refused;
 *   - alpha counts where it says that nothing is to be seen, or where it alone varies;
 *   - indices of a palette are classes, but when index 0 is not black and another is: then black
 *     is 0, and in black and white the other is white;
 *   - a mask whose edges between black and white were smoothed, or that went through a JPEG, is
 *     cut in the middle, and becomes black and white again;
 *   - other fractions are refused: they are probabilities or intensities.
 *
 * What is a guess among these is said as a notice (core/notice.h). */
#ifndef IMAGE_MASK_H
#define IMAGE_MASK_H

#include "core/array.h"
#include "image/image.h"

struct mask {
    const struct image_info *info; /* of the file: its sides and pixel size; borrowed */
    struct mask_reader *reader;
    /* Known after mask_examine: */
    enum dtype dtype; /* of the labels: uint8, uint16 or uint32 */
    uint32_t white;   /* a mask in black and white: its only value but 0; else 0 */
};

/* Opens a mask; "-" is standard input.  The caller ends it with mask_close, also after a
 * failure; a zeroed one is fine. */
int mask_open(struct mask *mask, const char *path, struct err *err) MUST_CHECK;
void mask_close(struct mask *mask);

/* Looks at its values, in a pass of its own, to know what they mean. */
int mask_examine(struct mask *mask, struct err *err) MUST_CHECK;

/* After that: the next `rows` rows as labels of mask->dtype, tightly packed, or as uint32. */
int mask_read(struct mask *mask, int64_t rows, void *to, struct err *err) MUST_CHECK;
int mask_read32(struct mask *mask, int64_t rows, uint32_t *to, struct err *err) MUST_CHECK;

/* Without it: the whole mask, which most often needs to be read but once. */
int mask_read_all(struct mask *mask, uint32_t *labels, struct err *err) MUST_CHECK;

/* A whole label image: *labels is new, free() it. */
int mask_load_labels(const char *path, struct image_info *info, uint32_t **labels,
                     struct err *err) MUST_CHECK;

/* The same as a mask: 1 where the label is not 0, a byte a pixel. */
int mask_load(const char *path, struct image_info *info, uint8_t **mask,
              struct err *err) MUST_CHECK;

#endif
