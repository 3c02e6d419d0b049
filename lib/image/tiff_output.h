/* Private to lib/image: what TIFFs and OME-TIFFs are written with. */
#ifndef IMAGE_TIFF_OUTPUT_H
#define IMAGE_TIFF_OUTPUT_H

#include "image/codec.h"
#include "image/deflate.h"
#include "image/tiff_io.h"

struct tiff_output {
    struct tiff_io io;
    TIFF *tif;
    bool deferred;             /* the output cannot seek: copied there at the end */
    struct deflater *deflater; /* NULL: libtiff compresses, or nobody */
};

/* Ready for the first directory: a classic TIFF, or a BigTIFF for more than `bytes` of
 * pixels. */
int tiff_output_open(struct tiff_output *output, struct image_writer *writer, uint64_t bytes,
                     struct err *err) MUST_CHECK;

/* The tags of a directory, but those of strips or tiles; info: of its pixels. */
void tiff_output_tags(struct tiff_output *output, const struct image_writer *writer,
                      const struct image_info *info);

/* A strip or tile of rows of `row` bytes, which are changed. */
enum tiff_block { TIFF_STRIP, TIFF_TILE };
int tiff_output_block(struct tiff_output *output, struct image_writer *writer,
                      const struct image_info *info, enum tiff_block kind, uint32_t index,
                      void *rows, size_t row, size_t size, struct err *err) MUST_CHECK;

/* Writes the directory; fails where one of its tags has failed. */
int tiff_output_directory(const struct tiff_output *output, const struct image_writer *writer,
                          struct err *err) MUST_CHECK;

/* Ends the file, and copies it to where it goes. */
int tiff_output_finish(struct tiff_output *output, struct image_writer *writer,
                       struct err *err) MUST_CHECK;
void tiff_output_release(struct tiff_output *output);

#endif
