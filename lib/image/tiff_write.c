#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io.h"
#include "image/codec.h"
#include "image/deflate.h"
#include "image/samples.h"
#include "image/tiff_io.h"

#define STRIP_BYTES   ((size_t)256 << 10)
#define CLASSIC_BYTES (UINT64_C(4000) << 20) /* more pixels than this go into a BigTIFF */
#define COPY_BYTES    ((size_t)1 << 20)

struct tiff_output {
    struct tiff_io io;
    TIFF *tif;
    bool spooled; /* the output cannot seek: copied there at the end */
    int64_t strip_rows;
    int64_t pending; /* rows in `strip` */
    uint8_t *strip;
    struct deflater *deflater; /* NULL: libtiff compresses, or nobody */
};

static int write_failed(struct image_writer *writer, struct err *err)
{
    struct tiff_output *s = writer->state;
    return err_set(err, STATUS_IO, "write '%s': %s", outfile_name(writer->out),
                   tiff_io_message(&s->io, "it cannot be written"));
}

static uint16_t compression_tag(enum image_compression compression)
{
    switch (compression) {
    case IMAGE_UNCOMPRESSED:
        return COMPRESSION_NONE;
    case IMAGE_LZW:
        return COMPRESSION_LZW;
    default:
        return COMPRESSION_ADOBE_DEFLATE;
    }
}

static void set_pixel_size(TIFF *tif, const struct image_info *info)
{
    if (!(info->pixel_width > 0) || !(info->pixel_height > 0))
        return;
    TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(tif, TIFFTAG_XRESOLUTION, 1e4 / info->pixel_width);
    TIFFSetField(tif, TIFFTAG_YRESOLUTION, 1e4 / info->pixel_height);
}

static void set_samples(TIFF *tif, const struct image_info *info)
{
    bool is_float = info->bits == 32 && !info->is_label;
    int colors = info->channels - info->has_alpha == 3 ? 3 : 1;
    int extra = info->channels - colors;
    uint16_t kinds[IMAGE_MAX_CHANNELS] = {0};
    if (info->has_alpha && extra)
        kinds[extra - 1] = EXTRASAMPLE_UNASSALPHA;
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, info->bits);
    TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT, is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, info->channels);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, colors == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    if (extra)
        TIFFSetField(tif, TIFFTAG_EXTRASAMPLES, extra, kinds);
}

static bool has_predictor(const struct image_info *info)
{
    return info->bits < 32;
}

static void set_tags(struct image_writer *writer)
{
    struct tiff_output *s = writer->state;
    const struct image_info *info = &writer->info;
    uint16_t compression = compression_tag(writer->compression);
    TIFFSetField(s->tif, TIFFTAG_IMAGEWIDTH, (uint32_t)info->width);
    TIFFSetField(s->tif, TIFFTAG_IMAGELENGTH, (uint32_t)info->height);
    TIFFSetField(s->tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(s->tif, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    TIFFSetField(s->tif, TIFFTAG_COMPRESSION, compression);
    TIFFSetField(s->tif, TIFFTAG_ROWSPERSTRIP, (uint32_t)s->strip_rows);
    set_samples(s->tif, info);
    set_pixel_size(s->tif, info);
    if (compression != COMPRESSION_NONE && has_predictor(info))
        TIFFSetField(s->tif, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
}

static int choose_descriptor(struct image_writer *writer, struct err *err)
{
    struct tiff_output *s = writer->state;
    int fd = outfile_fd(writer->out);
    struct stat st;
    bool standard = strcmp(outfile_name(writer->out), "standard output") == 0;
    s->spooled = standard || fstat(fd, &st) || !S_ISREG(st.st_mode);
    s->io.fd = s->spooled ? io_temporary(err) : fd;
    return s->io.fd < 0 ? -1 : 0;
}

static int create_tiff(struct image_writer *writer, struct err *err)
{
    struct tiff_output *s = writer->state = calloc(1, sizeof *s);
    size_t row = image_row_bytes(&writer->info);
    bool big = (uint64_t)row * (uint64_t)writer->info.height > CLASSIC_BYTES;
    if (!s)
        return err_memory(err, "a TIFF writer");
    s->strip_rows = (int64_t)(STRIP_BYTES / row + 1);
    if (s->strip_rows > writer->info.height)
        s->strip_rows = writer->info.height;
    s->strip = malloc((size_t)s->strip_rows * row);
    if (!s->strip)
        return err_memory(err, "a TIFF's strip");
    bool deflates = compression_tag(writer->compression) == COMPRESSION_ADOBE_DEFLATE;
    if (choose_descriptor(writer, err) || (deflates && deflater_new(&s->deflater, true, err)))
        return -1;
    s->tif = tiff_io_open(&s->io, outfile_name(writer->out), big ? "w8" : "w");
    if (!s->tif)
        return write_failed(writer, err);
    set_tags(writer);
    return 0;
}

static int write_raw(struct image_writer *writer, uint32_t strip, const void *data, size_t size,
                     struct err *err)
{
    struct tiff_output *s = writer->state;
    if (TIFFWriteRawStrip(s->tif, strip, (void *)data, (tmsize_t)size) != (tmsize_t)size)
        return write_failed(writer, err);
    return 0;
}

static int write_deflated(struct image_writer *writer, uint32_t strip, size_t size, struct err *err)
{
    struct tiff_output *s = writer->state;
    size_t row = image_row_bytes(&writer->info), coded_size;
    const uint8_t *coded;
    for (size_t at = 0; has_predictor(&writer->info) && at < size; at += row)
        samples_difference(s->strip + at, row, writer->info.channels, writer->info.bits / 8);
    if (deflater_block(s->deflater, s->strip, size, true, &coded, &coded_size, err))
        return -1;
    return write_raw(writer, strip, coded, coded_size, err);
}

static int write_strip(struct image_writer *writer, int64_t first, int64_t rows, const void *from,
                       struct err *err)
{
    struct tiff_output *s = writer->state;
    size_t size = (size_t)rows * image_row_bytes(&writer->info);
    uint32_t strip = (uint32_t)(first / s->strip_rows);
    if (writer->compression == IMAGE_UNCOMPRESSED)
        return write_raw(writer, strip, from, size, err);
    if (from != s->strip) /* differences are taken in place, libtiff's too */
        memcpy(s->strip, from, size);
    if (s->deflater)
        return write_deflated(writer, strip, size, err);
    if (TIFFWriteEncodedStrip(s->tif, strip, s->strip, (tmsize_t)size) != (tmsize_t)size)
        return write_failed(writer, err);
    return 0;
}

static int write_tiff(struct image_writer *writer, int64_t rows, const void *from, struct err *err)
{
    struct tiff_output *s = writer->state;
    size_t row = image_row_bytes(&writer->info);
    const uint8_t *p = from;
    int64_t next = writer->next_row;
    while (rows) {
        int64_t part = s->strip_rows - s->pending < rows ? s->strip_rows - s->pending : rows;
        const uint8_t *strip = p;
        if (s->pending || part < s->strip_rows) {
            memcpy(s->strip + (size_t)s->pending * row, p, (size_t)part * row);
            strip = s->strip;
        }
        int64_t filled = s->pending + part, first = next - s->pending;
        p += (size_t)part * row;
        next += part;
        rows -= part;
        s->pending = filled;
        if (filled < s->strip_rows && next < writer->info.height)
            continue;
        s->pending = 0;
        if (write_strip(writer, first, filled, strip, err))
            return -1;
    }
    return 0;
}

static int copy_spool(struct image_writer *writer, struct err *err)
{
    struct tiff_output *s = writer->state;
    struct image_source spool = {.fd = s->io.fd, .name = (char *)outfile_name(writer->out)};
    spool.size = lseek(s->io.fd, 0, SEEK_END);
    char *buffer = malloc(COPY_BYTES);
    int failed = buffer ? 0 : err_memory(err, "a copy of the output");
    for (int64_t at = 0; !failed && at < spool.size; at += (int64_t)COPY_BYTES) {
        size_t left = (size_t)(spool.size - at), size = left < COPY_BYTES ? left : COPY_BYTES;
        failed = image_source_read(&spool, at, buffer, size, err) ||
                 outfile_write(writer->out, buffer, size, err);
    }
    free(buffer);
    return failed ? -1 : 0;
}

static int finish_tiff(struct image_writer *writer, struct err *err)
{
    struct tiff_output *s = writer->state;
    bool written = TIFFFlush(s->tif);
    TIFFClose(s->tif);
    s->tif = NULL;
    if (!written || s->io.error_number || s->io.message[0])
        return write_failed(writer, err);
    return s->spooled ? copy_spool(writer, err) : 0;
}

static void release_tiff(struct image_writer *writer)
{
    struct tiff_output *s = writer->state;
    if (!s)
        return;
    if (s->tif)
        TIFFClose(s->tif);
    if (s->spooled && s->io.fd >= 0)
        close(s->io.fd);
    deflater_free(s->deflater);
    free(s->strip);
    free(s);
}

const struct image_encoder image_tiff_encoder = {create_tiff, write_tiff, finish_tiff,
                                                 release_tiff};
