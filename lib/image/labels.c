#include "image/labels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "image/values.h"

#define ROWS 64

int image_check_labels(const char *path, const struct image_info *info, struct err *err)
{
    if (info->bits == 32 && !info->is_label)
        return err_set(err, STATUS_DATA,
                       "read '%s': a mask has whole numbers, this image has floating point", path);
    if (info->channels > 4)
        return err_set(err, STATUS_DATA, "read '%s': a mask has one channel, this image has %d",
                       path, info->channels);
    return 0;
}

static uint32_t sample_at(const void *pixels, int bits, size_t i)
{
    switch (bits) {
    case 8:
        return ((const uint8_t *)pixels)[i];
    case 16:
        return ((const uint16_t *)pixels)[i];
    default:
        return ((const uint32_t *)pixels)[i];
    }
}

static bool channels_agree(const struct image_info *info, const void *pixels, size_t count)
{
    size_t channels = (size_t)info->channels;
    for (size_t i = 0; i < count * channels && channels >= 3; i += channels) {
        uint32_t first = sample_at(pixels, info->bits, i);
        if (sample_at(pixels, info->bits, i + 1) != first ||
            sample_at(pixels, info->bits, i + 2) != first)
            return false;
    }
    return true;
}

static void unpack(const struct image_info *info, const void *pixels, size_t count,
                   uint32_t *labels)
{
    size_t step = (size_t)info->channels;
    const uint8_t *bytes = pixels;
    const uint16_t *words = pixels;
    if (step == 1 && info->bits == 8)
        for (size_t i = 0; i < count; i++)
            labels[i] = bytes[i];
    else if (step == 1 && info->bits == 16)
        for (size_t i = 0; i < count; i++)
            labels[i] = words[i];
    else
        for (size_t i = 0; i < count; i++)
            labels[i] = sample_at(pixels, info->bits, i * step);
}

/* Turns pixels into what is wanted of them. */
typedef void take_labels(const struct image_info *info, const void *pixels, size_t count, void *to);

static void take_numbers(const struct image_info *info, const void *pixels, size_t count, void *to)
{
    unpack(info, pixels, count, to);
}

static void take_mask(const struct image_info *info, const void *pixels, size_t count, void *to)
{
    uint8_t *mask = to;
    const uint8_t *bytes = pixels;
    size_t step = (size_t)info->channels;
    if (step == 1 && info->bits == 8)
        for (size_t i = 0; i < count; i++)
            mask[i] = bytes[i] != 0;
    else
        for (size_t i = 0; i < count; i++)
            mask[i] = sample_at(pixels, info->bits, i * step) != 0;
}

/* Reads rows into an array of `size` bytes an element. */
static int read_rows(struct image_reader *reader, const char *path, int64_t rows, void *to,
                     size_t size, take_labels *take, struct err *err)
{
    const struct image_info *info = image_info(reader);
    int64_t step = rows < ROWS ? rows : ROWS;
    size_t width = (size_t)info->width;
    void *pixels = malloc(image_row_bytes(info) * (size_t)step + 1);
    if (!pixels)
        return err_memory(err, "rows of a mask");
    int rc = 0;
    for (int64_t y = 0; rc == 0 && y < rows; y += step) {
        int64_t n = rows - y < step ? rows - y : step;
        rc = image_read_rows(reader, n, pixels, err);
        if (rc == 0 && !channels_agree(info, pixels, (size_t)n * width))
            rc = err_set(err, STATUS_DATA, "read '%s': a mask is grey, this image is coloured",
                         path);
        if (rc == 0)
            take(info, pixels, (size_t)n * width, (char *)to + (size_t)y * width * size);
    }
    free(pixels);
    return rc;
}

int image_read_labels32(struct image_reader *reader, const char *path, int64_t rows,
                        uint32_t *labels, struct err *err)
{
    return read_rows(reader, path, rows, labels, sizeof *labels, take_numbers, err);
}

static int load(const char *path, struct image_info *info, void **to, size_t size,
                take_labels *take, struct err *err)
{
    struct image_reader *reader;
    size_t bytes;
    *to = NULL;
    if (image_open_labels(&reader, path, err))
        return -1;
    *info = *image_info(reader);
    size_t shape[] = {(size_t)info->height, (size_t)info->width};
    int rc = image_check_labels(path, info, err);
    if (rc == 0)
        rc = array_check_bytes(size == 1 ? DTYPE_U8 : DTYPE_U32, 2, shape, &bytes, err);
    if (rc == 0 && !(*to = malloc(bytes + 1)))
        rc = err_memory(err, "a mask");
    if (rc == 0)
        rc = read_rows(reader, path, info->height, *to, size, take, err);
    if (rc) {
        free(*to);
        *to = NULL;
    }
    image_close(reader);
    return rc;
}

int image_load_labels32(const char *path, struct image_info *info, uint32_t **labels,
                        struct err *err)
{
    void *to;
    int rc = load(path, info, &to, sizeof **labels, take_numbers, err);
    *labels = to;
    return rc;
}

int image_load_mask(const char *path, struct image_info *info, uint8_t **mask, struct err *err)
{
    void *to;
    int rc = load(path, info, &to, sizeof **mask, take_mask, err);
    *mask = to;
    return rc;
}

int image_load_floats(const char *path, struct image_info *info, float **values, struct err *err)
{
    struct image_values rows;
    size_t bytes = 0;
    *values = NULL;
    int rc = image_values_open(&rows, path, 1, IMAGE_AS_SHARE, err);
    if (rc == 0) {
        *info = *rows.info;
        size_t shape[] = {(size_t)info->height, (size_t)info->width};
        rc = image_values_check_shares(&rows, path, err) ||
                     array_check_bytes(DTYPE_F32, 2, shape, &bytes, err)
                 ? -1
                 : 0;
    }
    if (rc == 0 && !(*values = malloc(bytes + 1)))
        rc = err_memory(err, "an image");
    for (int64_t y = 0; rc == 0 && y < info->height; y++)
        rc = image_values_row(&rows, *values + y * info->width, err);
    image_values_close(&rows);
    if (rc) {
        free(*values);
        *values = NULL;
    }
    return rc;
}

struct image_info image_label_info(int64_t width, int64_t height, uint32_t max_label, int bits)
{
    int needed = max_label > UINT16_MAX || bits > 16 ? 32 : 16;
    return (struct image_info){.width = width,
                               .height = height,
                               .channels = 1,
                               .bits = needed,
                               .significant_bits = needed,
                               .is_label = needed == 32};
}

void image_pack_labels(const struct image_info *info, const uint32_t *labels, size_t count,
                       void *to)
{
    if (info->bits == 32) {
        memcpy(to, labels, count * sizeof *labels);
        return;
    }
    uint16_t *narrow = to;
    for (size_t i = 0; i < count; i++)
        narrow[i] = (uint16_t)labels[i];
}

int image_save_labels(const char *path, enum image_format format, const struct image_info *info,
                      const uint32_t *labels, struct err *err)
{
    struct image_writer *writer;
    size_t width = (size_t)info->width;
    void *row = malloc(image_row_bytes(info) + 1);
    if (!row)
        return err_memory(err, "a row");
    int rc = image_create(&writer, path, format, IMAGE_DEFAULT_COMPRESSION, info, err);
    if (rc) {
        free(row);
        return -1;
    }
    for (int64_t y = 0; rc == 0 && y < info->height; y++) {
        image_pack_labels(info, labels + (size_t)y * width, width, row);
        rc = image_write_rows(writer, 1, row, err);
    }
    free(row);
    if (rc == 0)
        return image_commit(writer, err);
    image_abort(writer);
    return -1;
}
