#include "image/tiff_output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io.h"
#include "image/samples.h"

#define CLASSIC_BYTES (UINT64_C(4000) << 20) /* more pixels than this go into a BigTIFF */
#define COPY_BYTES    ((size_t)1 << 20)

/* STATUS_IO with what libtiff or the system says. */
static int fail(const struct tiff_output *output, const struct image_writer *writer,
                struct err *err)
{
    return err_set(err, STATUS_IO, "write '%s': %s", outfile_name(writer->out),
                   tiff_io_message(&output->io, "it cannot be written"));
}

/* ---- tags ---- */

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
    TIFFSetField(tif, TIFFTAG_SOFTWARE, IMAGE_SOFTWARE); /* our reader believes any size */
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

void tiff_output_tags(struct tiff_output *output, const struct image_writer *writer,
                      const struct image_info *info)
{
    TIFF *tif = output->tif;
    uint16_t compression = compression_tag(writer->compression);
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, (uint32_t)info->width);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, (uint32_t)info->height);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, compression);
    set_samples(tif, info);
    set_pixel_size(tif, info);
    if (compression != COMPRESSION_NONE && has_predictor(info))
        TIFFSetField(tif, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
}

/* ---- begin ---- */

static int choose_descriptor(struct tiff_output *output, const struct image_writer *writer,
                             struct err *err)
{
    int fd = outfile_fd(writer->out);
    struct stat st;
    bool standard = strcmp(outfile_name(writer->out), "standard output") == 0;
    output->deferred = standard || fstat(fd, &st) || !S_ISREG(st.st_mode);
    output->io.fd = output->deferred ? io_temporary(err) : fd;
    return output->io.fd < 0 ? -1 : 0;
}

int tiff_output_open(struct tiff_output *output, struct image_writer *writer, uint64_t bytes,
                     struct err *err)
{
    bool deflates = compression_tag(writer->compression) == COMPRESSION_ADOBE_DEFLATE;
    if (choose_descriptor(output, writer, err) ||
        (deflates && deflater_new(&output->deflater, err)))
        return -1;
    const char *mode = bytes > CLASSIC_BYTES ? "w8" : "w";
    output->tif = tiff_io_open(&output->io, outfile_name(writer->out), mode);
    return output->tif ? 0 : fail(output, writer, err);
}

/* ---- strips and tiles ---- */

static int write_raw(struct tiff_output *output, struct image_writer *writer, enum tiff_block kind,
                     uint32_t index, const void *data, size_t size, struct err *err)
{
    tmsize_t n = (tmsize_t)size;
    tmsize_t written = kind == TIFF_TILE ? TIFFWriteRawTile(output->tif, index, (void *)data, n)
                                         : TIFFWriteRawStrip(output->tif, index, (void *)data, n);
    return written == n ? 0 : fail(output, writer, err);
}

int tiff_output_block(struct tiff_output *output, struct image_writer *writer,
                      const struct image_info *info, enum tiff_block kind, uint32_t index,
                      void *rows, size_t row, size_t size, struct err *err)
{
    const uint8_t *coded;
    size_t coded_size;
    tmsize_t n = (tmsize_t)size;
    if (writer->compression == IMAGE_UNCOMPRESSED)
        return write_raw(output, writer, kind, index, rows, size, err);
    if (!output->deflater) {
        tmsize_t written = kind == TIFF_TILE ? TIFFWriteEncodedTile(output->tif, index, rows, n)
                                             : TIFFWriteEncodedStrip(output->tif, index, rows, n);
        return written == n ? 0 : fail(output, writer, err);
    }
    for (size_t at = 0; has_predictor(info) && at < size; at += row)
        samples_difference((char *)rows + at, row, info->channels, info->bits / 8);
    if (deflater_block(output->deflater, rows, size, &coded, &coded_size, err))
        return -1;
    return write_raw(output, writer, kind, index, coded, coded_size, err);
}

/* ---- end ---- */

static int copy_to_output(const struct tiff_output *output, struct image_writer *writer,
                          struct err *err)
{
    struct image_source written = {.fd = output->io.fd, .name = (char *)outfile_name(writer->out)};
    written.size = lseek(output->io.fd, 0, SEEK_END);
    char *buffer = malloc(COPY_BYTES);
    int failed = buffer ? 0 : err_memory(err, "a copy of the output");
    for (int64_t at = 0; !failed && at < written.size; at += (int64_t)COPY_BYTES) {
        size_t left = (size_t)(written.size - at), size = left < COPY_BYTES ? left : COPY_BYTES;
        failed = image_source_read(&written, at, buffer, size, err) ||
                 outfile_write(writer->out, buffer, size, err);
    }
    free(buffer);
    return failed ? -1 : 0;
}

/* What is not written yet is not: TIFFClose would write the directory, whole or not.  Where
 * libtiff failed by itself, for want of memory, it falls over what it would free: that is left. */
static void drop(struct tiff_output *output)
{
    TIFFSetMode(output->tif, O_RDONLY);
    if (!output->io.message[0] || output->io.error_number)
        TIFFClose(output->tif);
    output->tif = NULL;
}

/* A tag can have failed, and libtiff falls over what is then not there. */
static bool has_failed(const struct tiff_output *output)
{
    return output->io.error_number || output->io.message[0];
}

int tiff_output_directory(const struct tiff_output *output, const struct image_writer *writer,
                          struct err *err)
{
    bool written = !has_failed(output) && TIFFWriteDirectory(output->tif);
    return written ? 0 : fail(output, writer, err);
}

int tiff_output_finish(struct tiff_output *output, struct image_writer *writer, struct err *err)
{
    bool written = !has_failed(output) && TIFFFlush(output->tif);
    drop(output);
    if (!written || has_failed(output))
        return fail(output, writer, err);
    return output->deferred ? copy_to_output(output, writer, err) : 0;
}

void tiff_output_release(struct tiff_output *output)
{
    if (output->tif)
        drop(output);
    if (output->deferred && output->io.fd >= 0)
        close(output->io.fd);
    deflater_free(output->deflater);
}
