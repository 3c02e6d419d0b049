/* Label images out, and maps of probabilities in (masks in: image/mask.h). */
#ifndef IMAGE_LABELS_H
#define IMAGE_LABELS_H

#include "image/image.h"

/* A whole single-channel image as floats: 32-bit floats as they are, 8-bit / 255,
 * 16-bit / 65535.  *values is new, free() it. */
int image_load_floats(const char *path, struct image_info *info, float **values,
                      struct err *err) MUST_CHECK;

/* What a label image of that size and largest label is written as: 16 bits, 32
 * when they do not suffice, `bits` when that is more. */
struct image_info image_label_info(int64_t width, int64_t height, uint32_t max_label, int bits);

/* A whole label image, info as image_label_info gives it; "-" is standard output. */
int image_save_labels(const char *path, enum image_format format, const struct image_info *info,
                      const uint32_t *labels, struct err *err) MUST_CHECK;

#endif
