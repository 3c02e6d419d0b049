/* What tensor-stream(5) allows for the arrays it knows, and what is made of those that NumPy
 * programs write instead. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/convert.h"
#include "core/half.h"
#include "core/strided.h"
#include "stream/sample.h"

#define BIT(dtype) (1u << (dtype))
#define FLOATS     (BIT(DTYPE_F16) | BIT(DTYPE_F32))

struct rule {
    const char *name;
    int ndim;
    size_t planes; /* 0: any number */
    unsigned dtypes;
    const char *wanted;
    /* Brings another array nearer to the rule, with a message where nothing is right. */
    int (*adapt)(struct array *array, struct err *err);
};

/* ---- axes ---- */

static void drop_axis(struct array *array, int axis)
{
    array->ndim--;
    for (int i = axis; i < array->ndim; i++)
        array->shape[i] = array->shape[i + 1];
}

/* Axes of one element before the others: batches of one. */
static void drop_leading(struct array *array, int ndim)
{
    while (array->ndim > ndim && array->shape[0] == 1)
        drop_axis(array, 0);
}

static void replace(struct array *array, struct array *by)
{
    array_free(array);
    *array = *by;
}

/* C x h x w, as networks have images, to h x w x C. */
static int move_channels(struct array *array, struct err *err)
{
    size_t c = array->shape[0], h = array->shape[1], w = array->shape[2];
    struct array moved;
    if (array_new(&moved, array->dtype, 3, (size_t[]){h, w, c}, err))
        return -1;
    strided_copy(&moved, array->data, (size_t[]){w, 1, h * w});
    replace(array, &moved);
    return 0;
}

#define FEW_CHANNELS 4

/* Few rows of many channels are no image, but one in the other order. */
static bool has_channels_first(const struct array *array)
{
    return array->ndim == 3 && array->shape[0] <= FEW_CHANNELS && array->shape[1] > FEW_CHANNELS &&
           array->shape[2] > FEW_CHANNELS;
}

/* ---- elements ---- */

static double value_at(const struct array *array, size_t i)
{
    if (array->dtype == DTYPE_F64)
        return ((const double *)array->data)[i];
    if (array->dtype == DTYPE_F16)
        return half_to_float(((const uint16_t *)array->data)[i]);
    return ((const float *)array->data)[i];
}

static bool is_float(enum dtype dtype)
{
    return dtype == DTYPE_F16 || dtype == DTYPE_F32 || dtype == DTYPE_F64;
}

static int to_floats(struct array *array, struct err *err)
{
    struct array floats;
    size_t count = array_count(array);
    if (array_new(&floats, DTYPE_F32, array->ndim, array->shape, err))
        return -1;
    for (size_t i = 0; i < count; i++)
        ((float *)floats.data)[i] = (float)value_at(array, i);
    replace(array, &floats);
    return 0;
}

static int labels_of_floats(const struct array *array, uint32_t *to, struct err *err)
{
    size_t count = array_count(array);
    for (size_t i = 0; i < count; i++) {
        double value = value_at(array, i);
        if (!(value >= 0 && value <= UINT32_MAX) || value != floor(value))
            return err_set(err, STATUS_DATA, "%g is no label: masks have whole numbers", value);
        to[i] = (uint32_t)value;
    }
    return 0;
}

/* Labels of up to 16 bits where they fit, so that tiles of an image have one type. */
static int narrow(struct array *labels, struct err *err)
{
    struct array shorts;
    const uint32_t *from = labels->data;
    size_t count = array_count(labels);
    for (size_t i = 0; i < count; i++)
        if (from[i] > UINT16_MAX)
            return 0;
    if (array_new(&shorts, DTYPE_U16, labels->ndim, labels->shape, err))
        return -1;
    for (size_t i = 0; i < count; i++)
        ((uint16_t *)shorts.data)[i] = (uint16_t)from[i];
    replace(labels, &shorts);
    return 0;
}

static int to_labels(struct array *array, struct err *err)
{
    struct array labels;
    if (array->dtype == DTYPE_BOOL) { /* a byte, 0 or 1 */
        array->dtype = DTYPE_U8;
        return 0;
    }
    if (array_new(&labels, DTYPE_U32, array->ndim, array->shape, err))
        return -1;
    int rc = is_float(array->dtype) ? labels_of_floats(array, labels.data, err)
                                    : convert_labels(array, labels.data, err);
    if (rc) {
        array_free(&labels);
        return -1;
    }
    replace(array, &labels);
    return narrow(array, err);
}

static void whiten(struct array *array)
{
    uint8_t *bytes = array->data;
    size_t count = array_count(array);
    for (size_t i = 0; i < count; i++)
        bytes[i] = bytes[i] ? 255 : 0;
    array->dtype = DTYPE_U8;
}

/* ---- the arrays ---- */

static int adapt_image(struct array *array, struct err *err)
{
    drop_leading(array, 3);
    if (array->ndim == 2)
        array->shape[array->ndim++] = 1;
    if (has_channels_first(array) && move_channels(array, err))
        return -1;
    if (array->dtype == DTYPE_BOOL)
        whiten(array);
    else if (is_float(array->dtype) && array->dtype != DTYPE_F32)
        return to_floats(array, err);
    else if (array->dtype != DTYPE_U8 && array->dtype != DTYPE_U16 && array->dtype != DTYPE_F32)
        return err_set(err, STATUS_DATA,
                       "%s does not say how bright white is: uint8 (255), uint16 (65535) and "
                       "float32 (1) do",
                       dtype_name(array->dtype));
    return 0;
}

static int adapt_mask(struct array *array, struct err *err)
{
    if (array->ndim == 3 && array->shape[2] == 1)
        drop_axis(array, 2);
    drop_leading(array, 2);
    bool fits = array->dtype == DTYPE_U8 || array->dtype == DTYPE_U16 || array->dtype == DTYPE_U32;
    return fits ? 0 : to_labels(array, err);
}

static int adapt_planes(struct array *array, struct err *err)
{
    drop_leading(array, 3);
    return array->dtype == DTYPE_F64 ? to_floats(array, err) : 0;
}

static int adapt_prob(struct array *array, struct err *err)
{
    if (array->ndim == 2) { /* of the foreground alone */
        array->shape[2] = array->shape[1];
        array->shape[1] = array->shape[0];
        array->shape[0] = 1;
        array->ndim = 3;
    }
    return adapt_planes(array, err);
}

static int adapt_logits(struct array *array, struct err *err)
{
    drop_leading(array, 3);
    return is_float(array->dtype) && array->dtype != DTYPE_F32 ? to_floats(array, err) : 0;
}

static int adapt_uncertainty(struct array *array, struct err *err)
{
    if (array->ndim == 3 && array->shape[2] == 1)
        drop_axis(array, 2);
    drop_leading(array, 2);
    return array->dtype == DTYPE_F64 ? to_floats(array, err) : 0;
}

static const struct rule rules[] = {
    {"image", 3, 0, BIT(DTYPE_U8) | BIT(DTYPE_U16) | BIT(DTYPE_F32),
     "height x width x channels of uint8, uint16 or float32", adapt_image},
    {"mask", 2, 0, BIT(DTYPE_U8) | BIT(DTYPE_U16) | BIT(DTYPE_U32),
     "height x width of uint8, uint16 or uint32", adapt_mask},
    {"prob", 3, 0, FLOATS, "classes x height x width of float16 or float32", adapt_prob},
    {"logits", 3, 0, BIT(DTYPE_F32), "channels x height x width of float32", adapt_logits},
    {"flows", 3, 2, FLOATS, "2 x height x width of float16 or float32", adapt_planes},
    {"uncertainty", 2, 0, FLOATS, "height x width of float16 or float32", adapt_uncertainty},
};

static bool follows(const struct array *array, const struct rule *rule)
{
    return array->ndim == rule->ndim && rule->dtypes & BIT(array->dtype) &&
           (!rule->planes || array->shape[0] == rule->planes) && array_count(array) > 0;
}

struct array *sample_require(const struct sample *sample, const char *name, struct err *err)
{
    struct array *array = sample_array(sample, name);
    const struct rule *rule = NULL;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(name, rules[i].name) == 0)
            rule = &rules[i];
    if (!array) {
        err_set(err, STATUS_DATA, "'%s.%s.npy' is missing", sample->key, name);
        return NULL;
    }
    bool is_other = rule == rules && has_channels_first(array); /* of an image */
    if (!rule || (follows(array, rule) && !is_other))
        return array;
    if (rule->adapt(array, err)) {
        err_prefix(err, "'%s.%s.npy'", sample->key, name);
        return NULL;
    }
    if (follows(array, rule))
        return array;
    err_set(err, STATUS_DATA, "'%s.%s.npy' is not %s", sample->key, name, rule->wanted);
    return NULL;
}

int sample_seek(const struct sample *sample, const char *name, struct array **array,
                struct err *err)
{
    *array = sample_array(sample, name) ? sample_require(sample, name, err) : NULL;
    return *array || !sample_array(sample, name) ? 0 : -1;
}
