#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/codec.h"

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), n = strlen(end);
    return length >= n && strcasecmp(text + length - n, end) == 0;
}

enum image_format image_format_of_name(const char *path)
{
    if (ends_with(path, ".ome.tif") || ends_with(path, ".ome.tiff"))
        return IMAGE_OME_TIFF;
    return ends_with(path, ".tif") || ends_with(path, ".tiff") ? IMAGE_TIFF : IMAGE_PNG;
}

const char *image_format_ending(enum image_format format)
{
    static const char *const endings[] = {"png", "tif", "ome.tif"};
    return endings[format];
}

static int check_info(const struct image_info *info, enum image_format format, const char *path,
                      struct err *err)
{
    bool bits_known = info->bits == 8 || info->bits == 16 || info->bits == 32;
    if (info->width < 1 || info->height < 1 || info->width > IMAGE_MAX_SIDE ||
        info->height > IMAGE_MAX_SIDE || info->channels < 1 ||
        info->channels > IMAGE_MAX_CHANNELS || !bits_known || image_row_bytes(info) > IMAGE_MAX_ROW)
        return err_set(err, STATUS_USAGE,
                       "create '%s': no image of %" PRId64 " x %" PRId64
                       " pixels with %d channels of %d bits",
                       path, info->width, info->height, info->channels, info->bits);
    int colors = info->channels - info->has_alpha;
    if (format == IMAGE_PNG && (info->bits == 32 || (colors != 1 && colors != 3)))
        return err_set(err, STATUS_USAGE,
                       "create '%s': PNG cannot hold %d channels of %d bits, use TIFF", path,
                       info->channels, info->bits);
    return 0;
}

int image_check_name(const char *path, struct err *err)
{
    static const char *const others[] = {".jpg", ".jpeg", ".bmp", ".gif", ".webp",
                                         ".tar", ".npy",  ".tsv", ".json"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof others / sizeof *others; i++)
        if (strcasecmp(dot, others[i]) == 0)
            return err_set(err, STATUS_USAGE, "'%s': only PNG and TIFF are written", path);
    return 0;
}

int image_create(struct image_writer **result, const char *path, enum image_format format,
                 enum image_compression compression, const struct image_info *info, struct err *err)
{
    static const struct image_encoder *const encoders[] = {&image_png_encoder, &image_tiff_encoder,
                                                           &image_ome_encoder};
    if (check_info(info, format, path, err))
        return -1;
    struct image_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return err_memory(err, "an image writer");
    writer->info = *info;
    writer->compression = compression;
    writer->encoder = encoders[format];
    if (outfile_open(&writer->out, path, err) || writer->encoder->create(writer, err)) {
        image_abort(writer);
        return -1;
    }
    *result = writer;
    return 0;
}

int image_write_rows(struct image_writer *writer, int64_t rows, const void *from, struct err *err)
{
    if (rows < 0 || rows > writer->info.height - writer->next_row)
        return err_set(err, STATUS_BUG, "write '%s': more rows than its height",
                       outfile_name(writer->out));
    if (rows && writer->encoder->write(writer, rows, from, err))
        return -1;
    writer->next_row += rows;
    return 0;
}

int image_commit(struct image_writer *writer, struct err *err)
{
    int failed = 0;
    if (writer->next_row < writer->info.height)
        failed = err_set(err, STATUS_BUG, "write '%s': %" PRId64 " of %" PRId64 " rows",
                         outfile_name(writer->out), writer->next_row, writer->info.height);
    else
        failed = writer->encoder->finish(writer, err);
    if (!failed) {
        struct outfile *out = writer->out;
        writer->out = NULL;
        failed = outfile_commit(out, err);
    }
    image_abort(writer);
    return failed;
}

void image_abort(struct image_writer *writer)
{
    if (!writer)
        return;
    writer->encoder->release(writer);
    outfile_abort(writer->out);
    free(writer);
}

int image_save(const char *path, const struct image_info *info, const void *pixels, struct err *err)
{
    struct image_writer *writer;
    if (image_create(&writer, path, image_format_of_name(path), IMAGE_DEFAULT_COMPRESSION, info,
                     err))
        return -1;
    if (image_write_rows(writer, info->height, pixels, err)) {
        image_abort(writer);
        return -1;
    }
    return image_commit(writer, err);
}
