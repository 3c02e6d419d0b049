#include "image/labels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"

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

static bool unpack(const struct image_info *info, const void *pixels, size_t count,
                   uint32_t *labels)
{
    size_t channels = (size_t)info->channels, colours = channels >= 3 ? 3 : 1;
    for (size_t i = 0; i < count; i++) {
        labels[i] = sample_at(pixels, info->bits, i * channels);
        for (size_t c = 1; c < colours; c++)
            if (sample_at(pixels, info->bits, i * channels + c) != labels[i])
                return false;
    }
    return true;
}

int image_read_labels32(struct image_reader *reader, const char *path, int64_t rows,
                        uint32_t *labels, struct err *err)
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
        if (rc == 0 && !unpack(info, pixels, (size_t)n * width, labels + (size_t)y * width))
            rc = err_set(err, STATUS_DATA, "read '%s': a mask is grey, this image is coloured",
                         path);
    }
    free(pixels);
    return rc;
}

int image_load_labels32(const char *path, struct image_info *info, uint32_t **labels,
                        struct err *err)
{
    struct image_reader *reader;
    size_t bytes;
    *labels = NULL;
    if (image_open_labels(&reader, path, err))
        return -1;
    *info = *image_info(reader);
    size_t shape[] = {(size_t)info->height, (size_t)info->width};
    int rc = image_check_labels(path, info, err);
    if (rc == 0)
        rc = array_check_bytes(DTYPE_U32, 2, shape, &bytes, err);
    if (rc == 0 && !(*labels = malloc(bytes + 1)))
        rc = err_memory(err, "a mask");
    if (rc == 0)
        rc = image_read_labels32(reader, path, info->height, *labels, err);
    if (rc) {
        free(*labels);
        *labels = NULL;
    }
    image_close(reader);
    return rc;
}

static void to_floats(const struct image_info *info, const void *pixels, size_t count, float *to)
{
    float scale = info->bits == 8 ? 1.0f / 255 : 1.0f / 65535;
    if (info->bits == 32)
        memcpy(to, pixels, count * sizeof *to);
    else
        for (size_t i = 0; i < count; i++)
            to[i] = (float)sample_at(pixels, info->bits, i) * scale;
}

int image_load_floats(const char *path, struct image_info *info, float **values, struct err *err)
{
    void *pixels;
    *values = NULL;
    if (image_load(path, info, &pixels, err))
        return -1;
    size_t count = (size_t)info->width * (size_t)info->height;
    int rc = 0;
    if (info->channels != 1 || info->is_label)
        rc = err_set(err, STATUS_DATA, "read '%s': not one channel of floating point, 8 or 16 bits",
                     path);
    else if (!(*values = malloc(count * sizeof **values + 1)))
        rc = err_memory(err, "an image");
    else
        to_floats(info, pixels, count, *values);
    free(pixels);
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
