#include "pixels/range.h"

#include "pixels/normalize.h"

static bool count_values(void *normalise, const void *values, size_t n)
{
    normalise_count(normalise, values, n);
    return true;
}

static bool refine_values(void *normalise, const void *values, size_t n)
{
    normalise_refine(normalise, values, n);
    return true;
}

int range_of_image(const char *path, struct rows *image, double percentile, double *low,
                   double *high, struct err *err)
{
    struct normalise normalise;
    int result = normalise_new(&normalise, image->dtype, err);
    if (result == 0)
        result = rows_scan(path, image, count_values, &normalise, err);
    if (result) {
        normalise_free(&normalise);
        return -1;
    }
    int more = normalise_choose(&normalise, percentile, 100 - percentile, err);
    if (more == 1)
        result = rows_scan(path, image, refine_values, &normalise, err);
    if (result == 0 && more >= 0)
        normalise_range(&normalise, low, high);
    normalise_free(&normalise);
    return more < 0 ? 1 : result;
}
