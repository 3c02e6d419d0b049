/* Masks and label images: one whole number a pixel, whatever the file's depth. */
#ifndef IMAGE_LABELS_H
#define IMAGE_LABELS_H

#include "image/image.h"

/* 0 when the image can be a mask or a label image: whole numbers, and grey.
 * Colour is allowed as long as its channels turn out to be equal; alpha is ignored. */
int image_check_labels(const char *path, const struct image_info *info, struct err *err) MUST_CHECK;

/* The next `rows` rows as labels, rows tightly packed. */
int image_read_labels32(struct image_reader *reader, const char *path, int64_t rows,
                        uint32_t *labels, struct err *err) MUST_CHECK;

/* A whole image: *labels is new, free() it. */
int image_load_labels32(const char *path, struct image_info *info, uint32_t **labels,
                        struct err *err) MUST_CHECK;

/* The same as a mask: 1 where the image is not 0, a byte a pixel. */
int image_load_mask(const char *path, struct image_info *info, uint8_t **mask,
                    struct err *err) MUST_CHECK;

/* A whole single-channel image as floats: 32-bit floats as they are, 8-bit / 255,
 * 16-bit / 65535.  *values is new, free() it. */
int image_load_floats(const char *path, struct image_info *info, float **values,
                      struct err *err) MUST_CHECK;

/* What a label image of that size and largest label is written as: 16 bits, 32
 * when they do not suffice, `bits` when that is more. */
struct image_info image_label_info(int64_t width, int64_t height, uint32_t max_label, int bits);

/* Labels as the samples of such an image, `count` of them into `to`. */
void image_pack_labels(const struct image_info *info, const uint32_t *labels, size_t count,
                       void *to);

/* A whole label image, info as image_label_info gives it; "-" is standard output. */
int image_save_labels(const char *path, enum image_format format, const struct image_info *info,
                      const uint32_t *labels, struct err *err) MUST_CHECK;

#endif
