/* Label images that were painted, as files. */
#ifndef ANNOT_MASK_FILE_H
#define ANNOT_MASK_FILE_H

#include "annot/annot.h"
#include "image/image.h"

/* Writes pixels, H x W of uint32 up to `largest`, as the mode has it: classes as 8 bits,
 * ANNOT_BINARY with 255 for 1, instances as 16 or, in a TIFF, 32 bits where they need them:
 * STATUS_USAGE for a PNG.  Parts that nobody touched take no memory. */
int mask_file_write(const char *path, enum image_format format, const struct array *pixels,
                    enum annot_mode mode, uint32_t largest, struct err *err) MUST_CHECK;

#endif
