#include "objects/under.h"

#include <math.h>
#include <stdlib.h>

int under_new(struct under *under, const struct boxes *boxes, size_t planes, struct err *err)
{
    *under = (struct under){.planes = planes, .boxes = boxes};
    under->tallies = calloc(boxes->count * planes + 1, sizeof *under->tallies);
    return under->tallies ? 0 : err_memory(err, "objects");
}

void under_free(struct under *under)
{
    free(under->tallies);
    *under = (struct under){0};
}

static void add_run(struct tally *tally, const float *values, size_t planes, size_t count)
{
    if (tally->count == 0)
        tally->origin = isfinite(values[0]) ? values[0] : 0;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        double off = values[i * planes] - tally->origin;
        sum += off;
        squares += off * off;
    }
    tally->sum += sum;
    tally->squares += squares;
    tally->count += (double)count;
}

void under_row(struct under *under, const uint32_t *labels, const float *values, size_t width)
{
    size_t planes = under->planes;
    for (size_t x = 0; x < width;) {
        size_t begin = x++;
        while (x < width && labels[x] == labels[begin])
            x++;
        uint64_t number = labels[begin] ? intmap_get(&under->boxes->numbers, labels[begin]) : 0;
        for (size_t p = 0; number && p < planes; p++)
            add_run(&under->tallies[(number - 1) * planes + p], values + begin * planes + p, planes,
                    x - begin);
    }
}

double under_mean(const struct under *under, size_t object, size_t plane)
{
    const struct tally *t = &under->tallies[object * under->planes + plane];
    return t->count > 0 ? t->origin + t->sum / t->count : NAN;
}

double under_sd(const struct under *under, size_t object, size_t plane)
{
    const struct tally *t = &under->tallies[object * under->planes + plane];
    double mean = t->sum / t->count;
    return t->count > 0 ? sqrt(fmax(0, t->squares / t->count - mean * mean)) : NAN;
}
