/* Private to lib/image: which decoder opens what is neither TIFF, PNG nor JPEG, or is only so by
 * its first bytes: slides, and files of microscopes that must be converted. */
#ifndef IMAGE_SLIDE_H
#define IMAGE_SLIDE_H

#include "image/codec.h"

/* Makes image_slide_decoder the reader's when OpenSlide knows the file, by its name or, of DICOM,
 * by its beginning.  STATUS_DATA for a slide that needs OpenSlide where there is none, or that it
 * does not know and our decoders would take for something else. */
int slide_choose(struct image_reader *reader, struct err *err) MUST_CHECK;

/* STATUS_DATA, with the line that converts it, for a file of Zeiss's, Nikon's, Leica's, Olympus's
 * or another microscope's own form. */
int slide_refuse_foreign(const struct image_reader *reader, struct err *err) MUST_CHECK;

#endif
