#include <stdlib.h>
#include <string.h>

#include "image/tiff_page.h"

#define BAND_BYTES  ((size_t)1 << 20)  /* of a band that may have any number of rows */
#define STRIP_BYTES ((size_t)16 << 20) /* strips up to this are decoded at once */

/* A band is some rows of the image as the file packs them, plane after plane.
 * Which rows: one row of tiles, one strip, or some rows of a large strip. */
struct tiff_state {
    struct tiff_io io;
    TIFF *tif;
    struct tiff_layout layout;
    uint32_t band_rows;
    size_t plane_bytes;    /* of a full band */
    int64_t first, loaded; /* rows [first, first + loaded) are in the band */
    int (*load)(struct image_reader *reader, int64_t row, struct err *err);
    uint8_t *band;
    uint8_t *tile;     /* one tile */
    uint8_t *row;      /* one unpacked row of a plane, or of palette indices */
    uint8_t *inks;     /* one unpacked row of CMYK */
    uint64_t *offsets; /* of raw strips */
    int64_t skip;      /* planes of this size before it in its strip */
};

/* ---- messages ---- */

static int decode_failed(struct image_reader *reader, const char *block, uint32_t number,
                         struct err *err)
{
    struct tiff_state *s = reader->state;
    if (s->io.error_number)
        return err_set(err, STATUS_IO, "read '%s': %s", reader->source.name,
                       tiff_io_message(&s->io, ""));
    return image_bad(reader, err, "%s %u: %s", block, number,
                     tiff_io_message(&s->io, "it is cut or damaged"));
}

/* ---- bands ---- */

static uint32_t rows_in_band(const struct tiff_state *s, int64_t row)
{
    int64_t left = (int64_t)s->layout.height - row;
    return left < s->band_rows ? (uint32_t)left : s->band_rows;
}

static int load_strips(struct image_reader *reader, int64_t row, struct err *err)
{
    struct tiff_state *s = reader->state;
    uint32_t rows = rows_in_band(s, row);
    tmsize_t size = (tmsize_t)(rows * s->layout.row_bytes);
    for (int plane = 0; plane < s->layout.planes; plane++) {
        uint32_t strip = TIFFComputeStrip(s->tif, (uint32_t)row, (uint16_t)plane);
        uint8_t *to = s->band + (size_t)plane * s->plane_bytes;
        if (TIFFReadEncodedStrip(s->tif, strip, to, size) != size || s->io.pixels_suspect)
            return decode_failed(reader, "strip", strip, err);
    }
    return 0;
}

static int load_scanlines(struct image_reader *reader, int64_t row, struct err *err)
{
    struct tiff_state *s = reader->state;
    uint32_t rows = rows_in_band(s, row);
    for (uint32_t i = 0; i < rows; i++) {
        uint8_t *to = s->band + i * s->layout.row_bytes;
        if (TIFFReadScanline(s->tif, to, (uint32_t)row + i, 0) != 1 || s->io.pixels_suspect)
            return decode_failed(reader, "row", (uint32_t)row + i, err);
    }
    return 0;
}

static void place_tile(struct tiff_state *s, int plane, uint32_t x, uint32_t rows)
{
    const struct tiff_layout *l = &s->layout;
    int samples = l->planes == 1 ? l->samples : 1;
    size_t bits = (size_t)samples * (size_t)l->format.bits;
    size_t tile_row = (l->tile_width * bits + 7) / 8;
    size_t start = x * bits / 8, size = l->row_bytes - start;
    if (size > tile_row)
        size = tile_row;
    uint8_t *to = s->band + (size_t)plane * s->plane_bytes + start;
    for (uint32_t i = 0; i < rows; i++)
        memcpy(to + i * l->row_bytes, s->tile + i * tile_row, size);
}

static int load_tiles(struct image_reader *reader, int64_t row, struct err *err)
{
    struct tiff_state *s = reader->state;
    uint32_t rows = rows_in_band(s, row);
    tmsize_t size = TIFFTileSize(s->tif);
    for (int plane = 0; plane < s->layout.planes; plane++)
        for (uint32_t x = 0; x < s->layout.width; x += s->layout.tile_width) {
            uint32_t tile = TIFFComputeTile(s->tif, x, (uint32_t)row, 0, (uint16_t)plane);
            if (TIFFReadEncodedTile(s->tif, tile, s->tile, size) != size || s->io.pixels_suspect)
                return decode_failed(reader, "tile", tile, err);
            place_tile(s, plane, x, rows);
        }
    return 0;
}

/* Reads rows of an uncompressed plane that lie in the strips [row / tile_height, ...]. */
static int read_raw(struct image_reader *reader, int plane, int64_t row, int64_t rows, uint8_t *to,
                    struct err *err)
{
    struct tiff_state *s = reader->state;
    const struct tiff_layout *l = &s->layout;
    uint32_t strips = (l->height - 1) / l->tile_height + 1;
    while (rows) {
        uint32_t in_strip = (uint32_t)row % l->tile_height;
        int64_t part = l->tile_height - in_strip;
        if (part > rows)
            part = rows;
        size_t strip = (size_t)plane * strips + (uint32_t)row / l->tile_height;
        size_t size = (size_t)part * l->row_bytes;
        uint64_t offset = s->offsets[strip] + in_strip * l->row_bytes;
        if (offset > (uint64_t)reader->source.size)
            return image_bad(reader, err, "strip %zu is cut", strip);
        if (image_source_read(&reader->source, (int64_t)offset, to, size, err))
            return -1;
        to += size;
        row += part;
        rows -= part;
    }
    return 0;
}

static void swap_raw(const struct tiff_state *s, uint8_t *samples, size_t size)
{
    int bits = s->layout.format.bits;
    if (TIFFIsByteSwapped(s->tif) && bits % 8 == 0 && bits > 8)
        samples_swap(samples, size / ((size_t)bits / 8), (size_t)bits / 8);
}

static int load_raw(struct image_reader *reader, int64_t row, struct err *err)
{
    struct tiff_state *s = reader->state;
    uint32_t rows = rows_in_band(s, row);
    for (int plane = 0; plane < s->layout.planes; plane++) {
        uint8_t *to = s->band + (size_t)plane * s->plane_bytes;
        if (read_raw(reader, plane, row, rows, to, err))
            return -1;
        swap_raw(s, to, rows * s->layout.row_bytes);
    }
    return 0;
}

/* ---- from a band to delivered rows ---- */

static int unpack(struct image_reader *reader, const uint8_t *from, size_t count, void *to,
                  struct err *err)
{
    struct tiff_state *s = reader->state;
    const struct sample_format *format = &s->layout.format;
    if (samples_unpack(format, from, count, to, &reader->voids))
        return 0;
    if (format->kind == SAMPLE_SIGNED)
        return image_bad(reader, err, "a label below -1 or over 32 bits");
    return image_bad(reader, err, "%d-bit values over 32 bits are not supported", format->bits);
}

static int deliver_palette(struct image_reader *reader, const uint8_t *from, uint8_t *to,
                           struct err *err)
{
    struct tiff_state *s = reader->state;
    size_t channels = s->layout.is_gray_palette ? 1 : 3;
    if (unpack(reader, from, s->layout.width, s->row, err))
        return -1;
    for (uint32_t x = 0; x < s->layout.width; x++)
        memcpy(to + channels * (size_t)x, reader->palette.colors[s->row[x]], channels);
    return 0;
}

static int deliver_planes(struct image_reader *reader, const uint8_t *from, void *to,
                          struct err *err)
{
    struct tiff_state *s = reader->state;
    size_t bytes = (size_t)reader->info.bits / 8;
    for (int plane = 0; plane < s->layout.planes; plane++) {
        if (unpack(reader, from + (size_t)plane * s->plane_bytes, s->layout.width, s->row, err))
            return -1;
        samples_interleave(s->row, s->layout.width, bytes, s->layout.planes, plane, to);
    }
    return 0;
}

static int deliver_samples(struct image_reader *reader, const uint8_t *from, void *to,
                           struct err *err)
{
    struct tiff_state *s = reader->state;
    if (s->layout.planes > 1)
        return deliver_planes(reader, from, to, err);
    return unpack(reader, from, (size_t)s->layout.width * (size_t)s->layout.samples, to, err);
}

static int deliver(struct image_reader *reader, const uint8_t *from, void *to, struct err *err)
{
    struct tiff_state *s = reader->state;
    if (s->layout.expand_palette)
        return deliver_palette(reader, from, to, err);
    if (!s->layout.is_cmyk)
        return deliver_samples(reader, from, to, err);
    if (deliver_samples(reader, from, s->inks, err))
        return -1;
    samples_cmyk(s->inks, s->layout.width, s->layout.format.bits, false, to);
    return 0;
}

static bool is_direct(const struct tiff_state *s)
{
    return s->layout.is_raw && s->layout.planes == 1 && !s->layout.expand_palette &&
           !s->layout.is_cmyk && samples_are_plain(&s->layout.format);
}

static int read_direct(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    struct tiff_state *s = reader->state;
    if (read_raw(reader, 0, reader->decoded_row, rows, to, err))
        return -1;
    swap_raw(s, to, (size_t)rows * s->layout.row_bytes);
    return 0;
}

int tiff_page_read(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    struct tiff_state *s = reader->state;
    if (is_direct(s))
        return read_direct(reader, rows, to, err);
    size_t row_bytes = image_row_bytes(&reader->info);
    for (int64_t i = 0; i < rows; i++) {
        int64_t row = reader->decoded_row + i;
        if (row >= s->first + s->loaded) {
            if (s->load(reader, row, err))
                return -1;
            s->first = row;
            s->loaded = rows_in_band(s, row);
        }
        const uint8_t *from = s->band + (size_t)(row - s->first) * s->layout.row_bytes;
        if (deliver(reader, from, (uint8_t *)to + (size_t)i * row_bytes, err))
            return -1;
    }
    return 0;
}

/* ---- opening ---- */

/* Delivered bytes that a byte of the file can hold: run-length and dictionary
 * coders have limits, and uncompressed strips may be shared a little. */
static uint64_t largest_ratio(const struct tiff_layout *layout)
{
    uint64_t widening = 8;
    switch (layout->compression) {
    case COMPRESSION_NONE:
        return 16 * widening;
    case COMPRESSION_PACKBITS:
        return 64 * widening;
    case COMPRESSION_LZW:
        return 4096 * widening;
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE:
        return 1040 * widening;
    case COMPRESSION_JPEG:
        return 4096;
    default:
        return 100000 * widening;
    }
}

static int fill_info(struct image_reader *reader, struct err *err)
{
    struct tiff_state *s = reader->state;
    const struct tiff_layout *l = &s->layout;
    struct image_info *info = &reader->info;
    info->width = l->width;
    info->height = l->height;
    info->channels = l->is_cmyk || (l->expand_palette && !l->is_gray_palette) ? 3 : l->samples;
    info->has_alpha = l->has_alpha;
    info->bits = samples_delivered_bits(&l->format);
    info->is_label = info->bits == 32 && l->format.kind != SAMPLE_FLOAT && !l->format.as_float;
    bool narrow = info->bits == 8 || l->format.kind == SAMPLE_FLOAT || l->format.as_float ||
                  l->format.bits > 32;
    info->significant_bits = narrow ? info->bits : l->format.bits;
    return image_check_size(reader, largest_ratio(l), err);
}

static int find_raw_strips(struct image_reader *reader, struct err *err)
{
    struct tiff_state *s = reader->state;
    size_t count = TIFFNumberOfStrips(s->tif);
    uint32_t per_plane = (s->layout.height - 1) / s->layout.tile_height + 1;
    if (count != (size_t)per_plane * (size_t)s->layout.planes)
        return image_bad(reader, err, "%zu strips for %u rows", count, s->layout.height);
    s->offsets = calloc(count, sizeof *s->offsets);
    if (!s->offsets)
        return err_memory(err, "a TIFF's strips");
    uint64_t shift = (uint64_t)s->skip * (uint64_t)s->layout.planes * s->layout.height *
                     s->layout.row_bytes; /* what the catalog found to be in the file */
    for (size_t i = 0; i < count; i++) {
        uint32_t strip = (uint32_t)(i % per_plane);
        uint32_t rows = s->layout.height - strip * s->layout.tile_height;
        if (rows > s->layout.tile_height)
            rows = s->layout.tile_height;
        s->offsets[i] = TIFFGetStrileOffset(s->tif, (uint32_t)i) + shift;
        uint64_t held = TIFFGetStrileByteCount(s->tif, (uint32_t)i);
        uint64_t needed = (uint64_t)rows * s->layout.row_bytes;
        if (held < needed || s->offsets[i] > (uint64_t)reader->source.size ||
            needed > (uint64_t)reader->source.size - s->offsets[i])
            return image_bad(reader, err, "strip %zu is cut", i);
    }
    return 0;
}

static void choose_loader(struct tiff_state *s)
{
    const struct tiff_layout *l = &s->layout;
    size_t any = BAND_BYTES / l->row_bytes + 1;
    s->band_rows = l->tile_height;
    s->load = l->is_tiled ? load_tiles : load_strips;
    bool by_rows = l->is_raw || (!l->is_tiled && l->planes == 1 &&
                                 l->row_bytes * (size_t)l->tile_height > STRIP_BYTES);
    if (!by_rows)
        return;
    s->load = l->is_raw ? load_raw : load_scanlines;
    if (l->is_raw || any < s->band_rows)
        s->band_rows = any < l->height ? (uint32_t)any : l->height;
}

/* libtiff must agree with us about sizes, or it would write past our buffers. */
static int check_sizes(struct image_reader *reader, struct err *err)
{
    struct tiff_state *s = reader->state;
    const struct tiff_layout *l = &s->layout;
    size_t bits = (size_t)(l->planes == 1 ? l->samples : 1) * (size_t)l->format.bits;
    size_t tile_row = (l->tile_width * bits + 7) / 8;
    bool agrees = l->is_tiled ? (size_t)TIFFTileSize(s->tif) == tile_row * l->tile_height
                              : (size_t)TIFFScanlineSize(s->tif) == l->row_bytes;
    if (!agrees || (l->is_tiled && l->tile_width * bits % 8))
        return image_bad(reader, err, "tiles of %u pixels with %d bits are not supported",
                         l->tile_width, l->format.bits);
    return 0;
}

static int allocate(struct image_reader *reader, struct err *err)
{
    struct tiff_state *s = reader->state;
    const struct tiff_layout *l = &s->layout;
    s->plane_bytes = (size_t)s->band_rows * l->row_bytes;
    size_t band = s->plane_bytes * (size_t)l->planes;
    size_t tile = l->is_tiled ? (size_t)TIFFTileSize(s->tif) : 0;
    if (image_check_memory(reader, band > tile ? band : tile, "a row of its tiles or strips", err))
        return -1;
    if (is_direct(s))
        return 0;
    s->band = malloc(band);
    s->tile = malloc(tile + 1);
    s->row = malloc((size_t)l->width * 4);
    s->inks = malloc(l->is_cmyk ? (size_t)l->width * 8 : 1);
    return s->band && s->tile && s->row && s->inks ? 0 : err_memory(err, "a TIFF's rows");
}

static void take_orientation(struct image_reader *reader)
{
    struct tiff_state *s = reader->state;
    uint16_t orientation = ORIENTATION_TOPLEFT;
    TIFFGetFieldDefaulted(s->tif, TIFFTAG_ORIENTATION, &orientation);
    reader->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
}

static int prepare(struct image_reader *reader, struct err *err)
{
    struct tiff_state *s = reader->state;
    if (tiff_describe(reader, s->tif, &s->layout, err) || fill_info(reader, err))
        return -1;
    take_orientation(reader);
    if (s->layout.photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(s->tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    if (s->skip && !s->layout.is_raw)
        return image_bad(reader, err, "planes in one strip with reversed bits are not supported");
    if (check_sizes(reader, err) || (s->layout.is_raw && find_raw_strips(reader, err)))
        return -1;
    choose_loader(s);
    return allocate(reader, err);
}

int tiff_page_open(struct image_reader *reader, const struct tiff_place *place, struct err *err)
{
    struct tiff_state *s = reader->state = calloc(1, sizeof *s);
    if (!s)
        return err_memory(err, "a TIFF reader");
    s->io.fd = reader->source.fd;
    s->skip = place->skip;
    s->tif = tiff_io_open(&s->io, reader->source.name, "rh");
    if (!s->tif || !TIFFSetSubDirectory(s->tif, place->directory))
        return image_bad(reader, err, "%s", tiff_io_message(&s->io, "not a TIFF"));
    s->io.pixels_suspect = false;
    s->io.message[0] = '\0';
    return prepare(reader, err);
}

size_t tiff_page_bytes(const struct image_reader *reader)
{
    const struct tiff_state *s = reader->state;
    size_t tile = s->layout.is_tiled ? (size_t)TIFFTileSize(s->tif) : 0;
    return s->plane_bytes * (size_t)s->layout.planes + tile + (size_t)s->layout.width * 4;
}

void tiff_page_rewind(struct image_reader *reader)
{
    struct tiff_state *s = reader->state;
    s->first = s->loaded = 0;
    reader->decoded_row = 0;
    reader->voids = 0;
}

void tiff_page_close(struct image_reader *reader)
{
    struct tiff_state *s = reader->state;
    if (!s)
        return;
    if (s->tif)
        TIFFClose(s->tif);
    free(s->band);
    free(s->tile);
    free(s->row);
    free(s->inks);
    free(s->offsets);
    free(s);
    reader->state = NULL;
}
