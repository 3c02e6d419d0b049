#include "image/values.h"

#include <stdlib.h>

#include "core/convert.h"

#define CHUNK_SIZE (1 << 18) /* bytes of rows that are read at a time */

static float scale_of(const struct image_info *info, enum image_scale scale)
{
    return scale == IMAGE_AS_STORED || info->bits == 32 ? 1
           : info->bits == 8                            ? 1.0f / 255
                                                        : 1.0f / 65535;
}

int image_values_open(struct image_values *values, const char *path, int max_channels,
                      enum image_scale scale, struct err *err)
{
    struct image_values *v = values;
    *v = (struct image_values){0};
    if (image_open(&v->reader, path, err))
        return -1;
    v->info = image_info(v->reader);
    int channels = image_colors(v->info);
    v->channels = channels < max_channels ? channels : max_channels;
    v->scale = scale_of(v->info, scale);
    size_t row_bytes = image_row_bytes(v->info);
    v->chunk_rows = v->chunk_at = 1 + (int64_t)(CHUNK_SIZE / (row_bytes + 1));
    v->chunk = malloc((size_t)v->chunk_rows * row_bytes);
    return v->chunk ? 0 : err_memory(err, "rows of an image");
}

void image_values_close(struct image_values *values)
{
    image_close(values->reader);
    free(values->chunk);
    *values = (struct image_values){0};
}

int image_values_row(struct image_values *values, float *to, struct err *err)
{
    struct image_values *v = values;
    if (v->chunk_at == v->chunk_rows) {
        int64_t rest = v->info->height - v->row;
        if (image_read_rows(v->reader, rest < v->chunk_rows ? rest : v->chunk_rows, v->chunk, err))
            return -1;
        v->chunk_at = 0;
    }
    size_t width = (size_t)v->info->width, count = width * (size_t)v->channels;
    const unsigned char *from = v->chunk + (size_t)v->chunk_at * image_row_bytes(v->info);
    convert_pixels(from, image_dtype(v->info), (size_t)v->info->channels, (size_t)v->channels,
                   width, to);
    for (size_t i = 0; v->scale != 1 && i < count; i++)
        to[i] *= v->scale;
    v->chunk_at++;
    v->row++;
    return 0;
}

int image_values_planes(struct image_values *values, float *to, struct err *err)
{
    size_t height = (size_t)values->info->height, width = (size_t)values->info->width;
    size_t channels = (size_t)values->channels;
    float *row = malloc(channels * width * sizeof *row);
    int rc = row ? 0 : err_memory(err, "a row");
    for (size_t y = 0; rc == 0 && y < height; y++) {
        rc = image_values_row(values, row, err);
        for (size_t c = 0; rc == 0 && c < channels; c++)
            for (size_t x = 0; x < width; x++)
                to[(c * height + y) * width + x] = row[x * channels + c];
    }
    free(row);
    return rc;
}

int image_values_check_shares(const struct image_values *values, const char *path, struct err *err)
{
    if (values->info->channels == 1 && !values->info->is_label)
        return 0;
    return err_set(err, STATUS_DATA, "read '%s': not one channel of floating point, 8 or 16 bits",
                   path);
}
