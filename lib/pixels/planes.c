#include "pixels/planes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/convert.h"
#include "core/target.h"
#include "pixels/normalize.h"

int planes_seen(size_t have, int wanted)
{
    if (have == (size_t)wanted)
        return wanted;
    if (have <= 2)
        return have ? 1 : 0;
    return have > 4 ? 0 : wanted == 3 ? 3 : wanted <= 2 ? 1 : 0;
}

int planes_check(const struct array *image, int wanted, struct err *err)
{
    enum dtype dtype = image->dtype;
    if (image->ndim != 3 || !image->shape[0] || !image->shape[1])
        return err_set(err, STATUS_DATA, "the image has no pixels");
    if (dtype != DTYPE_U8 && dtype != DTYPE_U16 && dtype != DTYPE_F32)
        return err_set(err, STATUS_DATA, "an image of %s", dtype_name(dtype));
    if (!planes_seen(image->shape[2], wanted))
        return err_set(err, STATUS_DATA, "%zu channels, but the network takes %d", image->shape[2],
                       wanted);
    return 0;
}

size_t planes_side(size_t side, size_t multiple)
{
    return (side + multiple - 1) / multiple * multiple;
}

/* ---- rows ---- */

/* One channel of a row, `step` elements from pixel to pixel. */
#define DEFINE_ROW(name, type)                                                                     \
    CLONES(static, void, name,                                                                     \
           (float *to, const type *from, size_t width, size_t step, float offset, float gain),     \
           (to, from, width, step, offset, gain))                                                  \
    {                                                                                              \
        for (size_t x = 0; x < width; x++)                                                         \
            to[x] = ((float)from[x * step] - offset) * gain;                                       \
    }
DEFINE_ROW(row_of_u8, uint8_t)
DEFINE_ROW(row_of_u16, uint16_t)
DEFINE_ROW(row_of_f32, float)

static void convert_row(float *to, const struct array *image, size_t y, size_t channel,
                        float offset, float gain)
{
    size_t width = image->shape[1], step = image->shape[2], at = y * width * step + channel;
    if (image->dtype == DTYPE_U8)
        row_of_u8(to, (const uint8_t *)image->data + at, width, step, offset, gain);
    else if (image->dtype == DTYPE_U16)
        row_of_u16(to, (const uint16_t *)image->data + at, width, step, offset, gain);
    else
        row_of_f32(to, (const float *)image->data + at, width, step, offset, gain);
}

static void luma_row(float *to, float *scratch, const struct array *image, size_t y, float offset,
                     float gain)
{
    static const float luma[] = {0.299f, 0.587f, 0.114f};
    memset(to, 0, image->shape[1] * sizeof *to);
    for (size_t c = 0; c < 3; c++) {
        convert_row(scratch, image, y, c, offset, gain);
        for (size_t x = 0; x < image->shape[1]; x++)
            to[x] += luma[c] * scratch[x];
    }
}

/* ---- planes ---- */

struct sides {
    size_t height, width;
};

/* One channel, or the luma where there is room for scratch. */
static void fill_plane(float *plane, float *scratch, struct sides sides, const struct array *image,
                       size_t channel, float offset, float gain)
{
    size_t height = image->shape[0], width = image->shape[1];
    for (size_t y = 0; y < height; y++) {
        float *row = plane + y * sides.width;
        if (scratch)
            luma_row(row, scratch, image, y, offset, gain);
        else
            convert_row(row, image, y, channel, offset, gain);
        for (size_t x = width; x < sides.width; x++)
            row[x] = row[width - 1];
    }
    for (size_t y = height; y < sides.height; y++)
        memcpy(plane + y * sides.width, plane + (height - 1) * sides.width,
               sides.width * sizeof *plane);
}

int planes_of(const struct array *image, double offset, double gain, int channels, size_t multiple,
              float *out, struct err *err)
{
    if (planes_check(image, channels, err) ||
        (gain == 0 && normalize_image(image, &offset, &gain, err)))
        return -1;
    int seen = planes_seen(image->shape[2], channels);
    bool mixed = seen == 1 && image->shape[2] > 2;
    struct sides sides = {planes_side(image->shape[0], multiple),
                          planes_side(image->shape[1], multiple)};
    size_t plane = sides.height * sides.width;
    float *scratch = mixed ? malloc(image->shape[1] * sizeof *scratch) : NULL;
    if (mixed && !scratch)
        return err_memory(err, "an image");
    for (int c = 0; c < seen; c++)
        fill_plane(out + (size_t)c * plane, scratch, sides, image, (size_t)c, (float)offset,
                   (float)gain);
    for (int c = seen; c < channels; c++)
        memcpy(out + (size_t)c * plane, out, plane * sizeof *out);
    free(scratch);
    return 0;
}

int planes_classes(const struct array *mask, int classes, uint8_t *out, struct err *err)
{
    size_t n = array_count(mask);
    if (mask->dtype >= DTYPE_F16)
        return err_set(err, STATUS_DATA, "mask: not integers");
    for (size_t i = 0; i < n; i++) {
        uint64_t label = convert_label_at(mask, i);
        if (classes > 2 && label >= (uint64_t)classes)
            return err_set(err, STATUS_DATA, "mask: label %llu where there are %d classes",
                           (unsigned long long)label, classes);
        out[i] = (uint8_t)(classes > 2 ? label : label != 0);
    }
    return 0;
}
