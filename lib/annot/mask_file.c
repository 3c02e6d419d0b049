#include "annot/mask_file.h"

#include <stdlib.h>

#define BAND ((size_t)1 << 18) /* pixels written at once */

/* Labels as they are written. */
static void narrow(const uint32_t *labels, size_t n, int bits, uint32_t unit, void *to)
{
    for (size_t i = 0; i < n; i++)
        if (bits == 8)
            ((uint8_t *)to)[i] = (uint8_t)(labels[i] * unit);
        else if (bits == 16)
            ((uint16_t *)to)[i] = (uint16_t)labels[i];
        else
            ((uint32_t *)to)[i] = labels[i];
}

static int write_rows(struct image_writer *writer, const struct image_info *info,
                      const uint32_t *labels, uint32_t unit, struct err *err)
{
    size_t width = (size_t)info->width, height = (size_t)info->height;
    size_t rows = width < BAND ? BAND / width : 1;
    void *band = malloc(rows * width * sizeof *labels);
    int result = band ? 0 : err_memory(err, "rows of an image");
    for (size_t y = 0; y < height && result == 0; y += rows) {
        size_t n = height - y < rows ? height - y : rows;
        narrow(labels + y * width, n * width, info->bits, unit, band);
        result = image_write_rows(writer, (int64_t)n, band, err);
    }
    free(band);
    return result;
}

int mask_file_write(const char *path, enum image_format format, const struct array *pixels,
                    enum annot_mode mode, uint32_t largest, struct err *err)
{
    struct image_writer *writer;
    struct image_info info = {
        .width = (int64_t)pixels->shape[1], .height = (int64_t)pixels->shape[0], .channels = 1};
    info.bits = mode != ANNOT_INSTANCES ? 8 : largest > UINT16_MAX ? 32 : 16;
    info.is_label = info.bits == 32;
    info.is_discrete = true;
    if (info.is_label && format == IMAGE_PNG)
        return err_set(err, STATUS_USAGE, "labels above 65535 need --format tiff");
    if (image_create(&writer, path, format, IMAGE_DEFAULT_COMPRESSION, &info, err))
        return -1;
    if (write_rows(writer, &info, pixels->data, mode == ANNOT_BINARY ? 255 : 1, err)) {
        image_abort(writer);
        return -1;
    }
    return image_commit(writer, err);
}
