#include "pixels/planes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/channels.h"
#include "core/convert.h"
#include "pixels/normalize.h"

static float pixel(const void *data, enum dtype dtype, size_t i)
{
    switch (dtype) {
    case DTYPE_U8:
        return ((const uint8_t *)data)[i];
    case DTYPE_U16:
        return ((const uint16_t *)data)[i];
    default:
        return ((const float *)data)[i];
    }
}

static void spread(const void *pixels, enum dtype dtype, size_t n, int channels, float offset,
                   float gain, float *out)
{
    for (int c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            out[(size_t)c * n + i] =
                (pixel(pixels, dtype, i * (size_t)channels + (size_t)c) - offset) * gain;
}

int planes_of(const struct array *image, double offset, double gain, int channels, float *out,
              struct err *err)
{
    int have = image->ndim == 3 && image->shape[2] <= 64 ? (int)image->shape[2] : 0;
    bool known = image->dtype == DTYPE_U8 || image->dtype == DTYPE_U16 || image->dtype == DTYPE_F32;
    bool possible = have == channels || channels == 1 || (channels == 3 && have <= 4);
    if (!known || have < 1 || !possible)
        return err_set(err, STATUS_DATA,
                       "an image of %d channels cannot be given to a network of %d", have,
                       channels);
    size_t n = image->shape[0] * image->shape[1];
    if (gain == 0 && normalise_image(image, &offset, &gain, err))
        return -1;
    if (have == channels) {
        spread(image->data, image->dtype, n, channels, (float)offset, (float)gain, out);
        return 0;
    }
    void *converted = malloc(n * (size_t)channels * dtype_size(image->dtype) + 1);
    if (!converted)
        return err_memory(err, "an image");
    channels_convert(image->data, have, converted, channels, image->dtype, n);
    spread(converted, image->dtype, n, channels, (float)offset, (float)gain, out);
    free(converted);
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
