/* lib/image: files of pixels, in and out, row by row, and folders of them: formats, masks as
 * labels, what matches by name. A format's own matters stay in its own files. Changing pixels
 * belongs to pixels, drawing to draw. Many files: a reader and a writer for each format, and what
 * their pixels mean. */

/* Images row by row, in and out.  Samples are interleaved (RGBRGB...), 8-bit as
 * uint8_t, 16-bit as uint16_t in the machine's order, 32-bit as float. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/array.h"
#include "core/outfile.h"
#include "image/planes.h"

struct image_info {
    int64_t width, height;           /* pixels, at least 1 */
    int64_t full_width, full_height; /* of level 0, where the image is another level or was scaled
                                        as it was read; else 0 */
    int channels;                    /* 1 gray, 3 RGB, one more with alpha; others only as TIFF */
    bool has_alpha;                  /* the last channel is alpha, premultiplied or not */
    int bits;                        /* a channel, as delivered: 8, 16 (integers) or 32 (float) */
    int significant_bits; /* of the file: a 12-bit TIFF is delivered as 16 with 12 here, unscaled;
                             8 for fewer bits scaled to 8 */
    bool is_label;        /* integers wider than 16 bits: delivered as uint32_t with bits 32 */
    double pixel_width, pixel_height; /* micrometers; 0 when the file does not say, or says a
                                         size over 50, which is a screen's or a printer's;
                                         OME-XML and ImageJ's unit are believed as they are */
    char format[8];                   /* "tiff", "png", "jpeg", "npy", "slide" */
    /* Of images that are written as OME-TIFF: */
    bool is_discrete;                 /* values are classes or labels, and have none between */
    const char *const *channel_names; /* UTF-8, as many as channels; borrowed until the end of
                                         the writer.  NULL: none; three channels of whole
                                         numbers are a picture in color then */
};

/* Bytes of one row of such an image. */
size_t image_row_bytes(const struct image_info *info);

/* Its channels without alpha. */
int image_colors(const struct image_info *info);

/* The type of its samples: uint8, uint16, uint32 (labels) or float32. */
enum dtype image_dtype(const struct image_info *info);

/* ---- reading ---- */

struct image_reader;

/* Opens a TIFF, PNG, JPEG or NumPy array, recognized by its first bytes, or a slide by OpenSlide;
 * "-" is standard input (what cannot seek is copied to a temporary file, core/io.h). A file with
 * several planes gives those that were chosen (image/planes.h), by default all channels of the only
 * slice, frame and image.  Several of them without a choice are STATUS_DATA, with a word on what
 * there is.  Orientation tags are applied (TIFF's and Exif's), color profiles are not; CMYK becomes
 * RGB without one.
 *
 * Pixels come as they are stored, but: 1 to 7 bits and truth values are scaled to 8; "min is white"
 * is inverted unless ImageJ wrote it, for which it is a table for display; palettes become colors,
 * gray ones gray, unless they are tables for display too (image/palette.h); integers with a sign,
 * those of 64 bits, and several channels of more than 16 bits become float, rounded over 24 bits,
 * as do doubles; half floats become float exactly.
 *
 * What is not supported is refused by name: CIE Lab, LogLuv, inks other than CMYK, subsampled
 * YCbCr outside of JPEG, old-style JPEG, JPEG 2000, complex numbers, and 24-bit integers, about
 * whose bytes programs do not agree.
 *
 * Limits: 1,000,000 pixels a side, 64 channels, 64 MiB a row.  Memory stays at
 * a row of tiles or strips; an interlaced PNG or a progressive JPEG is held
 * whole.  Both are bounded by core/limits.h; a turned image is kept whole by core/spill.h. */
int image_open(struct image_reader **reader, const char *path, struct err *err) MUST_CHECK;

/* The same for masks and label images: a palette's indices are delivered rather
 * than its colors, 1 to 7 bits are not scaled, so that class 1 stays 1, "min is white" inverts
 * one bit only, and integers stay integers of 8, 16 or 32 bits: -1, which some programs write for
 * nothing, becomes 0 with a notice (core/notice.h), another negative value or one over 32 bits is
 * STATUS_DATA.  What a mask has but once is taken whatever was chosen; a projection of several is
 * their largest label. */
int image_open_labels(struct image_reader **reader, const char *path, struct err *err) MUST_CHECK;

/* The sides and the pixel size of an image, whichever of its planes is meant. */
int image_measure(const char *path, struct image_info *info, struct err *err) MUST_CHECK;

/* Borrowed; valid until image_close. */
const struct image_info *image_info(const struct image_reader *reader);

/* Reads the next `rows` rows into `to`, rows tightly packed.  A file that ends
 * early is STATUS_DATA and never gives made-up pixels. */
int image_read_rows(struct image_reader *reader, int64_t rows, void *to,
                    struct err *err) MUST_CHECK;

/* Back to the first row, for a second pass. */
int image_rewind(struct image_reader *reader, struct err *err) MUST_CHECK;

void image_close(struct image_reader *reader);

/* The whole image at once: *pixels is new, free() it.  For tests. */
int image_load(const char *path, struct image_info *info, void **pixels,
               struct err *err) MUST_CHECK;
int image_load_labels(const char *path, struct image_info *info, void **pixels,
                      struct err *err) MUST_CHECK;

/* ---- writing ---- */

struct image_writer;

enum image_format { IMAGE_PNG, IMAGE_TIFF, IMAGE_OME_TIFF };
#define IMAGE_FORMAT_WORDS "png|tiff|ome-tiff"

enum image_compression { IMAGE_DEFAULT_COMPRESSION, IMAGE_UNCOMPRESSED, IMAGE_DEFLATE, IMAGE_LZW };

/* IMAGE_OME_TIFF for names that end in .ome.tif or .ome.tiff, IMAGE_TIFF for others that end
 * in .tif or .tiff, else IMAGE_PNG. */
enum image_format image_format_of_name(const char *path);

/* What such names end in: "png", "tif", "ome.tif". */
const char *image_format_ending(enum image_format format);

/* STATUS_USAGE for a name that ends as other kinds of files do: "a.jpg". */
int image_check_name(const char *path, struct err *err) MUST_CHECK;

/* Creates the image at `path`, whole or not at all; "-" is standard output
 * (TIFF goes through a temporary file, since it needs to seek).  info: width, height, channels,
 * bits, is_label, the pixel size and what is for OME-TIFF are used.  TIFF becomes BigTIFF when it
 * must. OME-TIFF has tiles and, in temporary files until its end, reduced images (ome_write.c). PNG
 * cannot hold 32 bits: STATUS_USAGE. */
int image_create(struct image_writer **writer, const char *path, enum image_format format,
                 enum image_compression compression, const struct image_info *info,
                 struct err *err) MUST_CHECK;

int image_write_rows(struct image_writer *writer, int64_t rows, const void *from,
                     struct err *err) MUST_CHECK;

/* Both free the writer, also when they fail.  Fewer rows than the height is
 * STATUS_BUG.  image_abort(NULL) does nothing. */
int image_commit(struct image_writer *writer, struct err *err) MUST_CHECK;
void image_abort(struct image_writer *writer);

/* The whole image at once. */
int image_save(const char *path, const struct image_info *info, const void *pixels,
               struct err *err) MUST_CHECK;

#endif
