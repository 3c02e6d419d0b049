/* Private to lib/image: which page of a TIFF is read, and how its samples lie. */
#ifndef IMAGE_TIFF_LAYOUT_H
#define IMAGE_TIFF_LAYOUT_H

#include "image/codec.h"
#include "image/samples.h"
#include "image/tiff_io.h"

struct tiff_layout {
    uint32_t width, height;
    int samples; /* a pixel */
    int planes;  /* 1, or `samples` when each has a plane of its own */
    struct sample_format format;
    uint16_t photometric, compression;
    bool has_alpha;       /* the last sample is alpha */
    bool is_cmyk;         /* four inks, delivered as RGB */
    bool expand_palette;  /* indices are delivered as colors */
    bool is_gray_palette; /* of which all are gray: delivered as one channel */
    bool is_tiled;
    bool is_raw;                      /* uncompressed strips that can be read without libtiff */
    uint32_t tile_width, tile_height; /* of a strip: the image's width, rows a strip */
    size_t row_bytes;                 /* of one row of one plane, as the file packs it */
};

/* Describes the current page, and refuses by name what is not supported. */
int tiff_describe(struct image_reader *reader, TIFF *tif, struct tiff_layout *layout,
                  struct err *err) MUST_CHECK;

/* What the page says of its pixels' size, in micrometers; 0 when nothing, or what printers say.
 * OME-XML, which speaks of all pages, is not read here. */
void tiff_pixel_size(TIFF *tif, const struct tiff_io *io, double *width, double *height);

#endif
