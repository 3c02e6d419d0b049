/* Private to lib/image: the orientation that a camera recorded (Exif 2.3, tag 274). */
#ifndef IMAGE_EXIF_H
#define IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* 1 to 8 as in TIFF 6.0; 1, as stored, when the bytes do not say.  They begin with the header
 * of a TIFF, with or without "Exif\0\0" before it. */
int exif_orientation(const uint8_t *bytes, size_t size);

#endif
