/* Private to lib/image: slides, which are neither TIFF, PNG nor JPEG, or are only so by their
 * first bytes. */
#ifndef IMAGE_SLIDE_H
#define IMAGE_SLIDE_H

#include "image/codec.h"

/* Makes image_slide_decoder the reader's when OpenSlide knows the file, by its name or, of DICOM,
 * by its beginning.  STATUS_DATA for a slide that needs OpenSlide where there is none, or that it
 * does not know and our decoders would take for something else. */
int slide_choose(struct image_reader *reader, struct err *err) MUST_CHECK;

#endif
