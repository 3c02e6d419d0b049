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

/* The array of that name, of the same shape as `array`; NULL when there is none. */
static const struct array *counterpart(const struct weights *weights, const char *name,
                                       const struct array *array)
{
    const struct array *other = weights_find(weights, name);
    return other && array_same_shape(other, array) ? other : NULL;
}

static int mean_tensor(struct weight *item, const struct weights *others, size_t count,
                       struct err *err)
{
    struct array *array = &item->array, mean;
    size_t elements = array_count(array);
    for (size_t k = 0; k < count; k++)
        if (!counterpart(&others[k], item->name, array))
            return err_set(err, STATUS_DATA,
                           "tensor '%s': missing in one file, or of another shape", item->name);
    if (!weights_is_float(array->dtype))
        return 0;
    if (array_new(&mean, array->dtype == DTYPE_F64 ? DTYPE_F32 : array->dtype, array->ndim,
                  array->shape, err))
        return -1;
    for (size_t i = 0; i < elements; i++) {
        double sum = value_at(array, i);
        for (size_t k = 0; k < count; k++)
            sum += value_at(weights_find(&others[k], item->name), i);
        store(&mean, i, (float)(sum / (double)(count + 1)), 0);
    }
    array_free(array);
    *array = mean;
    return 0;
}

int weights_mean(struct weights *weights, const struct weights *others, size_t count,
                 struct err *err)
{
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < others[k].count; i++)
            if (!weights_find(weights, others[k].items[i].name))
                return err_set(err, STATUS_DATA, "tensor '%s': missing in one file",
                               others[k].items[i].name);
    for (size_t i = 0; i < weights->count; i++)
        if (mean_tensor(&weights->items[i], others, count, err))
            return -1;
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
