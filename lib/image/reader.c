#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/notice.h"
#include "core/num.h"
#include "image/codec.h"
#include "image/foreign.h"
#include "image/slide.h"
#include "image/units.h"
#include "weights/numpy.h"

#define LARGEST_PIXEL 5.0 /* micrometers that a plain density is believed to */

size_t image_row_bytes(const struct image_info *info)
{
    return (size_t)info->width * (size_t)info->channels * (size_t)(info->bits / 8);
}

int image_colors(const struct image_info *info)
{
    return info->channels - info->has_alpha;
}

enum dtype image_dtype(const struct image_info *info)
{
    return info->bits == 8    ? DTYPE_U8
           : info->bits == 16 ? DTYPE_U16
           : info->is_label   ? DTYPE_U32
                              : DTYPE_F32;
}

double image_pixel_size(double per_meter, bool is_own)
{
    double size = per_meter > 0 ? 1e6 / per_meter : 0;
    return is_own || size <= LARGEST_PIXEL ? units_sane(size) : 0;
}

int image_bad(const struct image_reader *reader, struct err *err, const char *format, ...)
{
    char reason[400];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return err_set(err, STATUS_DATA, "read '%s': %s", reader->source.name, reason);
}

int image_check_size(const struct image_reader *reader, uint64_t ratio, struct err *err)
{
    const struct image_info *info = &reader->info;
    if (info->width < 1 || info->height < 1)
        return image_bad(reader, err, "an image of %" PRId64 " x %" PRId64 " pixels", info->width,
                         info->height);
    if (info->width > IMAGE_MAX_SIDE || info->height > IMAGE_MAX_SIDE)
        return image_bad(reader, err,
                         "%" PRId64 " x %" PRId64 " pixels, at most %d a side are read",
                         info->width, info->height, IMAGE_MAX_SIDE);
    if (info->channels < 1 || info->channels > IMAGE_MAX_CHANNELS)
        return image_bad(reader, err, "%d channels, at most %d are read", info->channels,
                         IMAGE_MAX_CHANNELS);
    size_t row = image_row_bytes(info);
    if (row > IMAGE_MAX_ROW)
        return image_bad(reader, err, "rows of %zu bytes, at most %zu are read", row,
                         IMAGE_MAX_ROW);
    uint64_t bytes = (uint64_t)row * (uint64_t)info->height;
    if (bytes / ratio > (uint64_t)reader->source.size)
        return image_bad(reader, err,
                         "%" PRId64 " x %" PRId64 " pixels cannot be in a file of %" PRId64
                         " bytes",
                         info->width, info->height, reader->source.size);
    return 0;
}

int image_check_memory(const struct image_reader *reader, uint64_t bytes, const char *what,
                       struct err *err)
{
    return limits_check_memory(bytes, what, err) ? err_prefix(err, "read '%s'", reader->source.name)
                                                 : 0;
}

int image_check_whole(const struct image_reader *reader, uint64_t bytes, struct err *err)
{
    if (limits_check_pixels(reader->info.width, reader->info.height, err))
        return err_prefix(err, "read '%s'", reader->source.name);
    return image_check_memory(reader, bytes, "all of it", err);
}

static const struct image_decoder *recognize(const unsigned char *magic)
{
    if (memcmp(magic, "\x89PNG", 4) == 0)
        return &image_png_decoder;
    if (memcmp(magic, "\xff\xd8\xff", 3) == 0)
        return &image_jpeg_decoder;
    if (memcmp(magic, "II", 2) == 0 || memcmp(magic, "MM", 2) == 0)
        return &image_tiff_decoder;
    if (numpy_is(magic, 8))
        return &image_npy_decoder;
    return NULL;
}

static int open_reader(struct image_reader *reader, const char *path, struct err *err)
{
    if (image_source_open(&reader->source, path, err))
        return -1;
    unsigned char magic[8] = {0};
    if (reader->source.size == 0)
        return image_bad(reader, err, "the file is empty");
    size_t known = reader->source.size < 8 ? (size_t)reader->source.size : 8;
    if (image_source_read(&reader->source, 0, magic, known, err))
        return -1;
    reader->decoder = recognize(magic);
    if (foreign_refuse(reader, err) || slide_choose(reader, err))
        return -1;
    if (!reader->decoder)
        return image_bad(reader, err, "not a TIFF, PNG, JPEG or NumPy array");
    snprintf(reader->info.format, sizeof reader->info.format, "%s", reader->decoder->format);
    return reader->decoder->open(reader, err);
}

/* ---- channels ---- */

static int pick_one(const struct image_reader *reader, const char *text, const char *option,
                    const char *word, struct err *err)
{
    struct planes_axis axis = {option, word, NULL, 1};
    struct planes_pick unused;
    return planes_pick(text, &axis, &unused, err)
               ? err_prefix(err, "read '%s'", reader->source.name)
               : 0;
}

/* What was chosen of a format that has one plane. */
static int check_planes(const struct image_reader *reader, struct err *err)
{
    const struct image_planes *p = &reader->planes;
    if (reader->use == IMAGE_FOR_LABELS)
        return 0;
    if (p->level > 0 && !reader->chose_level)
        return image_bad(reader, err, "there is no level %" PRId64 ", there is 0", p->level);
    return pick_one(reader, p->z, "--z", "slice", err) ||
                   pick_one(reader, p->t, "--t", "frame", err) ||
                   pick_one(reader, p->series, "--series", "image", err)
               ? -1
               : 0;
}

int image_choose_channels(struct image_reader *reader, struct err *err)
{
    struct planes_axis axis = {"--channel", "channel", NULL, image_colors(&reader->info)};
    reader->shown = reader->info;
    if (reader->chose_channels)
        return 0;
    if (check_planes(reader, err))
        return -1;
    if (!reader->planes.channel || (reader->use == IMAGE_FOR_LABELS && axis.count == 1))
        return 0;
    int count = planes_channels(reader->planes.channel, &axis, reader->picked.index, err);
    if (count < 0)
        return err_prefix(err, "read '%s'", reader->source.name);
    reader->picked.count = count;
    reader->shown.channels = count;
    reader->shown.has_alpha = false;
    reader->picked.rows = malloc(image_row_bytes(&reader->info));
    return reader->picked.rows ? 0 : err_memory(err, "a row");
}

static int decode(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    if (rows && reader->decoder->read(reader, rows, to, err))
        return -1;
    reader->decoded_row += rows;
    return 0;
}

static void pick(const struct image_reader *reader, uint8_t *to)
{
    size_t bytes = (size_t)reader->info.bits / 8, step = (size_t)reader->info.channels * bytes;
    const uint8_t *from = reader->picked.rows;
    for (int64_t x = 0; x < reader->info.width; x++, from += step)
        for (int c = 0; c < reader->picked.count; c++, to += bytes)
            memcpy(to, from + (size_t)reader->picked.index[c] * bytes, bytes);
}

/* Rows of the chosen channels. */
static int chosen_rows(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    if (reader->picked.count == 0)
        return decode(reader, rows, to, err);
    size_t row =
        (size_t)reader->info.width * (size_t)reader->picked.count * (size_t)(reader->info.bits / 8);
    for (int64_t y = 0; y < rows; y++) {
        if (decode(reader, 1, reader->picked.rows, err))
            return -1;
        pick(reader, (uint8_t *)to + (size_t)y * row);
    }
    return 0;
}

/* ---- scaling ---- */

static int prepare_scaling(struct image_reader *reader, struct err *err)
{
    double um = reader->planes.um_per_pixel;
    bool labels = reader->use == IMAGE_FOR_LABELS,
         knows = reader->shown.pixel_width > 0 && reader->shown.pixel_height > 0;
    if (!(um > 0) || (labels && !knows)) /* such a mask has been scaled before */
        return 0;
    if (!knows)
        return image_bad(reader, err,
                         "it doesn't say how large its pixels are, which --mpp needs to know");
    return scaled_begin(&reader->scaled, &reader->shown, um, labels, err)
               ? err_prefix(err, "read '%s'", reader->source.name)
               : 0;
}

static int scaled_from(void *user, int64_t rows, void *to, struct err *err)
{
    return chosen_rows(user, rows, to, err);
}

static int decode_rows(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    if (reader->scaled.is_on)
        return scaled_rows(&reader->scaled, rows, to, scaled_from, reader, err);
    return chosen_rows(reader, rows, to, err);
}

/* ---- turning ---- */

static void prepare_turning(struct image_reader *reader)
{
    struct turned *turned = &reader->turned;
    if (reader->orientation < 2)
        return;
    turned->orientation = reader->orientation;
    turned->stored = reader->shown;
    turned_info(turned, &reader->shown);
}

/* The whole stored image, at the first row that is asked for. */
static int fill_turned(struct image_reader *reader, struct err *err)
{
    struct turned *turned = &reader->turned;
    size_t row = image_row_bytes(&turned->stored), bytes;
    if (turned->pixels.data)
        return 0;
    if (!num_mul(row, (size_t)turned->stored.height, &bytes))
        return err_memory(err, reader->source.name);
    if (spill_new(&turned->pixels, bytes, err))
        return -1;
    return decode_rows(reader, turned->stored.height, turned->pixels.data, err);
}

static int read_turned(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    const struct turned *turned = &reader->turned;
    if (turned_by_rows(turned)) {
        if (decode_rows(reader, rows, to, err))
            return -1;
        turned_mirror(turned, rows, to);
        return 0;
    }
    if (fill_turned(reader, err))
        return -1;
    turned_rows(turned, reader->next_row, rows, to);
    return 0;
}

/* ---- opening ---- */

int image_open_for(struct image_reader **result, const char *path, enum image_use use,
                   const struct image_planes *planes, struct err *err)
{
    if (planes->level && planes->um_per_pixel > 0)
        return err_set(err, STATUS_USAGE, "--level and --mpp exclude each other");
    struct image_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return err_memory(err, "an image reader");
    reader->source.fd = -1;
    reader->use = use;
    reader->planes = *planes;
    if (use == IMAGE_FOR_LABELS)
        reader->planes.channel = planes_chosen.mask_channel;
    if (open_reader(reader, path, err) || image_choose_channels(reader, err) ||
        prepare_scaling(reader, err)) {
        image_close(reader);
        return -1;
    }
    prepare_turning(reader);
    *result = reader;
    return 0;
}

int image_open(struct image_reader **result, const char *path, struct err *err)
{
    return image_open_for(result, path, IMAGE_FOR_COLORS, &planes_chosen.image, err);
}

int image_open_labels(struct image_reader **result, const char *path, struct err *err)
{
    return image_open_for(result, path, IMAGE_FOR_LABELS, &planes_chosen.image, err);
}

int image_measure(const char *path, struct image_info *info, struct err *err)
{
    static const struct image_planes first = {.channel = "1", .z = "1", .t = "1", .series = "1"};
    struct image_reader *reader;
    if (image_open_for(&reader, path, IMAGE_FOR_COLORS, &first, err))
        return -1;
    *info = reader->shown;
    image_close(reader);
    return 0;
}

const struct image_info *image_info(const struct image_reader *reader)
{
    return &reader->shown;
}

static void tell_voids(struct image_reader *reader)
{
    if (reader->voids && !reader->told)
        notice("read '%s': label -1 is taken as 0 (%" PRIu64 " pixels)", reader->source.name,
               reader->voids);
    reader->told = true;
}

int image_read_rows(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    if (rows < 0 || rows > reader->shown.height - reader->next_row)
        return err_set(err, STATUS_BUG, "read '%s': %" PRId64 " rows asked for, %" PRId64 " left",
                       reader->source.name, rows, reader->shown.height - reader->next_row);
    if (reader->turned.orientation ? read_turned(reader, rows, to, err)
                                   : decode_rows(reader, rows, to, err))
        return -1;
    reader->next_row += rows;
    if (reader->next_row == reader->shown.height)
        tell_voids(reader);
    return 0;
}

int image_rewind(struct image_reader *reader, struct err *err)
{
    reader->next_row = 0;
    if (reader->decoded_row == 0 || reader->turned.pixels.data)
        return 0;
    reader->decoded_row = 0;
    reader->voids = 0;
    scaled_rewind(&reader->scaled);
    if (reader->decoder->rewind) {
        reader->decoder->rewind(reader);
        return 0;
    }
    reader->decoder->close(reader);
    reader->state = NULL;
    return reader->decoder->open(reader, err);
}

void image_close(struct image_reader *reader)
{
    if (!reader)
        return;
    if (reader->decoder)
        reader->decoder->close(reader);
    image_source_close(&reader->source);
    spill_free(&reader->turned.pixels);
    scaled_end(&reader->scaled);
    free(reader->picked.rows);
    free(reader);
}

static int load(const char *path, enum image_use use, struct image_info *info, void **pixels,
                struct err *err)
{
    struct image_reader *reader;
    if (image_open_for(&reader, path, use, &planes_chosen.image, err))
        return -1;
    size_t bytes;
    void *data = NULL;
    int failed = 0;
    if (!num_mul(image_row_bytes(&reader->shown), (size_t)reader->shown.height, &bytes) ||
        !(data = malloc(bytes)))
        failed = err_memory(err, path);
    else
        failed = image_read_rows(reader, reader->shown.height, data, err);
    *info = reader->shown;
    image_close(reader);
    if (failed) {
        free(data);
        return -1;
    }
    *pixels = data;
    return 0;
}

int image_load(const char *path, struct image_info *info, void **pixels, struct err *err)
{
    return load(path, IMAGE_FOR_COLORS, info, pixels, err);
}

int image_load_labels(const char *path, struct image_info *info, void **pixels, struct err *err)
{
    return load(path, IMAGE_FOR_LABELS, info, pixels, err);
}
