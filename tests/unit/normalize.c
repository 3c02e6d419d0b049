/* lib/pixels/normalize: exact ranges of whole images. */
#include "pixels/normalize.h"

#include <stdlib.h>

#include "core/rng.h"
#include "tests/tap.h"

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void check_floats(float *values, size_t n, double low, double high, const char *name)
{
    struct normalize normalize;
    struct err err;
    double a = 0, b = 0;
    bool fine = normalize_new(&normalize, DTYPE_F32, &err) == 0;
    normalize_count(&normalize, values, n / 3);
    normalize_count(&normalize, values + n / 3, n - n / 3);
    fine = fine && normalize_choose(&normalize, low, high, &err) == 1;
    normalize_refine(&normalize, values, n);
    normalize_range(&normalize, &a, &b);
    normalize_free(&normalize);
    qsort(values, n, sizeof *values, by_size);
    double first = (double)values[(size_t)(low / 100 * (double)(n - 1) + 0.5)];
    double last = (double)values[(size_t)(high / 100 * (double)(n - 1) + 0.5)];
    ok(fine && a == first && b == last, "%s: as sorting says", name);
}

static void test_floats(void)
{
    enum { N = 5000 };
    float values[N];
    struct rng rng = rng_new(3, "normalize");
    for (size_t i = 0; i < N; i++)
        values[i] = (float)rng_normal(&rng);
    check_floats(values, N, 1, 99, "normal values, 1 and 99 percent");
    check_floats(values, N, 0, 100, "their extremes");
    for (size_t i = 0; i < N; i++)
        values[i] = 1 + (float)i * 1e-6f;
    check_floats(values, N, 2, 60, "values near each other");
    values[0] = -0.5f;
    check_floats(values, 1, 0, 100, "a single one");
}

static void test_integers(void)
{
    uint8_t small[] = {3, 9, 9, 200};
    uint16_t deep[1000];
    struct normalize normalize;
    struct err err;
    double low, high;
    for (size_t i = 0; i < 1000; i++)
        deep[i] = (uint16_t)(60 * i);
    ok(normalize_new(&normalize, DTYPE_U8, &err) == 0, "bytes");
    normalize_count(&normalize, small, 4);
    is_int(normalize_choose(&normalize, 0, 100, &err), 0, "need no second pass");
    normalize_range(&normalize, &low, &high);
    ok(low == 3 && high == 200, "their extremes");
    normalize_free(&normalize);
    ok(normalize_new(&normalize, DTYPE_U16, &err) == 0, "16 bits");
    normalize_count(&normalize, deep, 1000);
    is_int(normalize_choose(&normalize, 1, 99, &err), 0, "need no second pass");
    normalize_range(&normalize, &low, &high);
    ok(low == 600 && high == 59340, "their percentiles");
    normalize_free(&normalize);
}

static void test_nothing(void)
{
    float none[] = {NAN, INFINITY, -INFINITY};
    struct normalize normalize;
    struct err err;
    ok(normalize_new(&normalize, DTYPE_F32, &err) == 0, "floats");
    normalize_count(&normalize, none, 3);
    ok(normalize_choose(&normalize, 0, 100, &err) == -1 && err.status == STATUS_DATA,
       "of which none is finite have no range");
    normalize_free(&normalize);
    ok(normalize_new(&normalize, DTYPE_U32, &err) == -1 && err.status == STATUS_BUG,
       "nor have labels");
    normalize_free(&normalize);
}

int main(void)
{
    tap_plan(13);
    test_floats();
    test_integers();
    test_nothing();
    return tap_done();
}
