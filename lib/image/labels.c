#include "image/labels.h"

#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/limits.h"
#include "image/values.h"

int image_load_floats(const char *path, struct image_info *info, float **values, struct err *err)
{
    struct image_values rows;
    size_t bytes = 0;
    *values = NULL;
    int rc = image_values_open(&rows, path, 1, IMAGE_AS_SHARE, err);
    if (rc == 0) {
        *info = *rows.info;
        size_t shape[] = {(size_t)info->height, (size_t)info->width};
        rc = limits_check_file(path, info->width, info->height, sizeof **values, err) ||
                     image_values_check_shares(&rows, path, err) ||
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
                               .is_label = needed == 32,
                               .is_discrete = true};
}

/* Labels as the samples of such an image, `count` of them into `to`. */
static void pack_labels(const struct image_info *info, const uint32_t *labels, size_t count,
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
        pack_labels(info, labels + (size_t)y * width, width, row);
        rc = image_write_rows(writer, 1, row, err);
    }
    free(row);
    if (rc == 0)
        return image_commit(writer, err);
    image_abort(writer);
    return -1;
}
