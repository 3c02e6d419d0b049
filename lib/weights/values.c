#include "weights/values.h"

#include <math.h>

#include "core/half.h"

static bool weights_is_float(enum dtype dtype)
{
    return dtype >= DTYPE_F16;
}

size_t weights_parameters(const struct weights *weights)
{
    size_t count = 0;
    for (size_t i = 0; i < weights->count; i++)
        if (weights_is_float(weights->items[i].array.dtype))
            count += array_count(&weights->items[i].array);
    return count;
}

/* 64-bit integers beyond 2^53 are rounded. */
static double value_at(const struct array *array, size_t i)
{
    switch (array->dtype) {
    case DTYPE_BOOL:
    case DTYPE_U8:
        return ((const uint8_t *)array->data)[i];
    case DTYPE_I8:
        return ((const int8_t *)array->data)[i];
    case DTYPE_U16:
        return ((const uint16_t *)array->data)[i];
    case DTYPE_I16:
        return ((const int16_t *)array->data)[i];
    case DTYPE_U32:
        return ((const uint32_t *)array->data)[i];
    case DTYPE_I32:
        return ((const int32_t *)array->data)[i];
    case DTYPE_U64:
        return (double)((const uint64_t *)array->data)[i];
    case DTYPE_I64:
        return (double)((const int64_t *)array->data)[i];
    case DTYPE_F16:
        return (double)half_to_float(((const uint16_t *)array->data)[i]);
    case DTYPE_BF16:
        return (double)bfloat_to_float(((const uint16_t *)array->data)[i]);
    case DTYPE_F32:
        return (double)((const float *)array->data)[i];
    case DTYPE_F64:
        return ((const double *)array->data)[i];
    }
    return NAN;
}

/* Stores a value; false when it was finite and no longer is. */
static bool store(struct array *array, size_t i, float value, double exact)
{
    float stored = value;
    if (array->dtype == DTYPE_F32) {
        ((float *)array->data)[i] = value;
    } else {
        bool half = array->dtype == DTYPE_F16;
        uint16_t bits = half ? half_from_float(value) : bfloat_from_float(value);
        ((uint16_t *)array->data)[i] = bits;
        stored = half ? half_to_float(bits) : bfloat_to_float(bits);
    }
    return isfinite(stored) || !isfinite(exact);
}

static int cast(struct array *array, enum dtype dtype, struct err *err)
{
    struct array new;
    if (array_new(&new, dtype, array->ndim, array->shape, err))
        return -1;
    size_t count = array_count(array);
    for (size_t i = 0; i < count; i++) {
        double value = value_at(array, i);
        if (!store(&new, i, (float)value, value)) {
            array_free(&new);
            return err_set(err, STATUS_DATA, "%g is beyond what %s can hold", value,
                           dtype_name(dtype));
        }
    }
    array_free(array);
    *array = new;
    return 0;
}

int weights_cast(struct weights *weights, enum dtype dtype, struct err *err)
{
    for (size_t i = 0; i < weights->count; i++) {
        struct weight *item = &weights->items[i];
        if (weights_is_float(item->array.dtype) && item->array.dtype != dtype &&
            cast(&item->array, dtype, err))
            return err_prefix(err, "tensor '%s'", item->name);
    }
    return 0;
}

size_t weights_count_not_finite(const struct array *array)
{
    size_t bad = 0, count = array_count(array);
    if (!weights_is_float(array->dtype))
        return 0;
    for (size_t i = 0; i < count; i++)
        bad += !isfinite(value_at(array, i));
    return bad;
}

static double difference(double a, double b)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    return isnan(a) || isnan(b) ? INFINITY : fabs(a - b);
}

double weights_max_difference(const struct array *a, const struct array *b)
{
    double largest = 0;
    size_t count = array_count(a);
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, difference(value_at(a, i), value_at(b, i)));
    return largest;
}
