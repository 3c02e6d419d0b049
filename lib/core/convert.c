#include "core/convert.h"

#include <stdbool.h>
#include <string.h>

#include "core/half.h"
#include "core/target.h"

/* ---- labels ---- */

#define WIDEN(type)                                                                                \
    for (size_t i = 0; i < count; i++)                                                             \
    to[i] = (uint32_t)((const type *)from->data)[i]

#define WIDEN_CHECKED(type)                                                                        \
    for (size_t i = 0; i < count; i++) {                                                           \
        type value = ((const type *)from->data)[i];                                                \
        wrong |= value < 0 || (uint64_t)value > UINT32_MAX;                                        \
        to[i] = (uint32_t)value;                                                                   \
    }

/* Whether all values fit; the type is one of whole numbers. */
static bool widen(const struct array *from, uint32_t *to)
{
    size_t count = array_count(from);
    bool wrong = false;
    switch (from->dtype) {
    case DTYPE_BOOL:
    case DTYPE_U8:
        WIDEN(uint8_t);
        break;
    case DTYPE_U16:
        WIDEN(uint16_t);
        break;
    case DTYPE_U32:
        WIDEN(uint32_t);
        break;
    case DTYPE_I8:
        WIDEN_CHECKED(int8_t);
        break;
    case DTYPE_I16:
        WIDEN_CHECKED(int16_t);
        break;
    case DTYPE_I32:
        WIDEN_CHECKED(int32_t);
        break;
    case DTYPE_I64:
        WIDEN_CHECKED(int64_t);
        break;
    default:
        for (size_t i = 0; i < count; i++) {
            uint64_t value = ((const uint64_t *)from->data)[i];
            wrong |= value > UINT32_MAX;
            to[i] = (uint32_t)value;
        }
    }
    return !wrong;
}

int convert_labels(const struct array *from, uint32_t *to, struct err *err)
{
    if (from->dtype >= DTYPE_F16)
        return err_set(err, STATUS_DATA, "labels are whole numbers, not %s",
                       dtype_name(from->dtype));
    return widen(from, to) ? 0 : err_set(err, STATUS_DATA, "a label that is not in 0 to 2^32 - 1");
}

uint64_t convert_label_at(const struct array *labels, size_t i)
{
    switch (dtype_size(labels->dtype)) {
    case 1:
        return ((const uint8_t *)labels->data)[i];
    case 2:
        return ((const uint16_t *)labels->data)[i];
    case 4:
        return ((const uint32_t *)labels->data)[i];
    default:
        return ((const uint64_t *)labels->data)[i];
    }
}

/* ---- floats ---- */

int convert_floats(const struct array *from, float *to, struct err *err)
{
    if (from->dtype != DTYPE_F16 && from->dtype != DTYPE_F32)
        return err_set(err, STATUS_DATA, "float16 or float32 is needed, not %s",
                       dtype_name(from->dtype));
    if (from->dtype == DTYPE_F16)
        half_to_floats(to, from->data, array_count(from));
    else if (array_count(from))
        memcpy(to, from->data, array_bytes(from));
    return 0;
}

#define TAKE(type)                                                                                 \
    for (size_t i = 0; i < count; i++)                                                             \
        for (size_t c = 0; c < keep; c++)                                                          \
    to[i * keep + c] = (float)((const type *)from)[i * channels + c]

CLONES(, void, convert_pixels,
       (const void *from, enum dtype dtype, size_t channels, size_t keep, size_t count, float *to),
       (from, dtype, channels, keep, count, to))
{
    if (channels == keep) { /* a loop over values is faster than one over pixels */
        count *= keep;
        channels = keep = 1;
    }
    switch (dtype) {
    case DTYPE_U8:
        TAKE(uint8_t);
        break;
    case DTYPE_U16:
        TAKE(uint16_t);
        break;
    case DTYPE_U32:
        TAKE(uint32_t);
        break;
    default:
        TAKE(float);
    }
}
