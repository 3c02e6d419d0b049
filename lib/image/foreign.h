/* Private to lib/image: files of other programs that are not read and must be converted. */
#ifndef IMAGE_FOREIGN_H
#define IMAGE_FOREIGN_H

#include "image/codec.h"

/* STATUS_DATA, with the line that converts it, for a file of Zeiss's, Nikon's, Leica's, Olympus's
 * or another microscope's own form, and for BMP, GIF, WebP, JPEG 2000 and other pictures. */
int foreign_refuse(const struct image_reader *reader, struct err *err) MUST_CHECK;

/* What a file's name ends in, without the dot; "" without one.  Borrowed. */
const char *foreign_ending(const struct image_reader *reader);

#endif
