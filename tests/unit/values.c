/* weights/values.h: numbers of every type, compared with one another. */
#include "weights/values.h"

#include <stdint.h>

#include "core/half.h"
#include "tests/tap.h"

/* 100 and, where the type has a sign, -100; else 7. */
static void fill(struct array *a, const double values[2])
{
    for (int i = 0; i < 2; i++) {
        double x = values[i];
        switch (a->dtype) {
        case DTYPE_BOOL:
        case DTYPE_U8:
            ((uint8_t *)a->data)[i] = (uint8_t)x;
            break;
        case DTYPE_I8:
            ((int8_t *)a->data)[i] = (int8_t)x;
            break;
        case DTYPE_U16:
            ((uint16_t *)a->data)[i] = (uint16_t)x;
            break;
        case DTYPE_I16:
            ((int16_t *)a->data)[i] = (int16_t)x;
            break;
        case DTYPE_U32:
            ((uint32_t *)a->data)[i] = (uint32_t)x;
            break;
        case DTYPE_I32:
            ((int32_t *)a->data)[i] = (int32_t)x;
            break;
        case DTYPE_U64:
            ((uint64_t *)a->data)[i] = (uint64_t)x;
            break;
        case DTYPE_I64:
            ((int64_t *)a->data)[i] = (int64_t)x;
            break;
        case DTYPE_F16:
            ((uint16_t *)a->data)[i] = half_from_float((float)x);
            break;
        case DTYPE_BF16:
            ((uint16_t *)a->data)[i] = bfloat_from_float((float)x);
            break;
        case DTYPE_F32:
            ((float *)a->data)[i] = (float)x;
            break;
        case DTYPE_F64:
            ((double *)a->data)[i] = x;
        }
    }
}

static double between(enum dtype type, const double a[2], const double b[2])
{
    struct array x, y;
    size_t shape[] = {2};
    struct err err;
    if (array_new(&x, type, 1, shape, &err) || array_new(&y, DTYPE_F64, 1, shape, &err))
        return -1;
    fill(&x, a);
    fill(&y, b);
    double difference = weights_max_difference(&x, &y);
    array_free(&x);
    array_free(&y);
    return difference;
}

static void test_types(void)
{
    static const enum dtype with_sign[] = {DTYPE_I8,  DTYPE_I16,  DTYPE_I32, DTYPE_I64,
                                           DTYPE_F16, DTYPE_BF16, DTYPE_F32, DTYPE_F64};
    static const enum dtype without[] = {DTYPE_U8, DTYPE_U16, DTYPE_U32, DTYPE_U64};
    const double same[] = {100, -100}, other[] = {99.5, -102.5}, positive[] = {100, 7};
    for (int i = 0; i < 8; i++) {
        is_near(between(with_sign[i], same, same), 0, 0, dtype_name(with_sign[i]));
        is_near(between(with_sign[i], same, other), 2.5, 0, "the largest difference");
    }
    for (int i = 0; i < 4; i++) {
        is_near(between(without[i], positive, positive), 0, 0, dtype_name(without[i]));
        is_near(between(without[i], positive, same), 107, 0, "the largest difference");
    }
    is_near(between(DTYPE_BOOL, (double[]){0, 1}, (double[]){1, 1}), 1, 0, "false is 0");
}

static void test_no_numbers(void)
{
    const double odd[] = {NAN, INFINITY}, infinite[] = {0, INFINITY}, numbers[] = {0, 1};
    is_near(between(DTYPE_F32, odd, odd), 0, 0, "two NaNs and two infinities are the same");
    ok(isinf(between(DTYPE_F32, odd, infinite)), "a NaN and a number are as far apart as can be");
    ok(isinf(between(DTYPE_F16, infinite, numbers)), "so are infinity and a number");
}

int main(void)
{
    tap_plan(28);
    test_types();
    test_no_numbers();
    return tap_done();
}
