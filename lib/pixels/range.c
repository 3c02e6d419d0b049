#include "pixels/range.h"

#include "pixels/normalize.h"

static void count_values(void *normalize, const void *values, size_t n)
{
    normalize_count(normalize, values, n);
}

static void refine_values(void *normalize, const void *values, size_t n)
{
    normalize_refine(normalize, values, n);
}

int range_of_image(const char *path, struct rows *image, double percentile, double *low,
                   double *high, struct err *err)
{
    struct normalize normalize;
    int result = normalize_new(&normalize, image->dtype, err);
    if (result == 0)
        result = rows_scan(path, image, count_values, &normalize, err);
    if (result) {
        normalize_free(&normalize);
        return -1;
    }
    int more = normalize_choose(&normalize, percentile, 100 - percentile, err);
    if (more == 1)
        result = rows_scan(path, image, refine_values, &normalize, err);
    if (result == 0 && more >= 0)
        normalize_range(&normalize, low, high);
    normalize_free(&normalize);
    return more < 0 ? 1 : result;
}
