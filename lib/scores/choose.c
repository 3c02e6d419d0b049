#include "scores/choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAYBE 0.1f /* probability from which there may be a cell */
#define FLOOR 0.1  /* what variety alone counts, of the largest uncertainty */

static size_t bin_of(float value)
{
    if (!(value > 0))
        return 0;
    return value >= 1 ? CHOOSE_BINS - 1 : (size_t)(value * CHOOSE_BINS);
}

void choose_measure(struct choose_image *image, const float *intensity, const float *foreground,
                    const float *uncertainty, size_t pixels)
{
    double counts[2 * CHOOSE_BINS] = {0}, unsure = 0, maybe = 0, covered = 0;
    for (size_t i = 0; i < pixels; i++) {
        counts[bin_of(intensity[i])]++;
        counts[CHOOSE_BINS + bin_of(foreground[i])]++;
        covered += foreground[i] >= 0.5f;
        if (foreground[i] >= MAYBE) {
            unsure += (double)uncertainty[i];
            maybe++;
        }
    }
    double all = pixels ? (double)pixels : 1;
    image->unsure = maybe > 0 ? unsure / maybe : 0;
    image->covered = covered / all;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        image->features[i] = (float)(counts[i] / all);
    image->features[CHOOSE_FEATURES - 1] = (float)image->covered;
}

/* Euclidean, of the histograms' sums, so that neighboring bins are near. */
static double distance(const struct choose_image *a, const struct choose_image *b)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < CHOOSE_FEATURES; i++) {
        double d = (double)a->features[i] - (double)b->features[i];
        bool last = i == CHOOSE_FEATURES - 1;
        total = i % CHOOSE_BINS == 0 || last ? d : total + d;
        sum += total * total / (last ? 1 : CHOOSE_BINS);
    }
    return sqrt(sum);
}

/* Distances to the nearest of those that are taken, INFINITY where none is. */
static void approach(double *nearest, const struct choose_image *images, size_t count, size_t taken)
{
    for (size_t i = 0; i < count; i++)
        nearest[i] = fmin(nearest[i], distance(&images[i], &images[taken]));
}

static double largest(const double *values, const bool *taken, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        if (!taken[i] && isfinite(values[i]))
            most = fmax(most, values[i]);
    return most;
}

/* The next one, or `count` when all are taken. */
static size_t best_of(const struct choose_image *images, const double *nearest, const bool *taken,
                      size_t count, double most_unsure, double *score)
{
    size_t best = count;
    double far = largest(nearest, taken, count);
    *score = -1;
    for (size_t i = 0; i < count; i++) {
        double unsure = (most_unsure > 0 ? images[i].unsure / most_unsure : 1) + FLOOR;
        double variety = !isfinite(nearest[i]) ? 1 : far > 0 ? nearest[i] / far : 0;
        double value = unsure / (1 + FLOOR) * variety;
        if (!taken[i] && value > *score) {
            *score = value;
            best = i;
        }
    }
    return best;
}

int64_t choose_images(const struct choose_image *images, const bool *done, size_t image_count,
                      struct choice *choices, size_t count, struct err *err)
{
    double *nearest = malloc((image_count + 1) * sizeof *nearest), most = 0;
    bool *taken = calloc(image_count + 1, sizeof *taken);
    size_t n = 0, next;
    if (!nearest || !taken) {
        free(nearest);
        free(taken);
        return err_memory(err, "images to choose from");
    }
    for (size_t i = 0; i < image_count; i++) {
        nearest[i] = INFINITY;
        most = fmax(most, images[i].unsure);
    }
    for (size_t i = 0; done && i < image_count; i++)
        if ((taken[i] = done[i]))
            approach(nearest, images, image_count, i);
    for (double score; n < count; n++) {
        next = best_of(images, nearest, taken, image_count, most, &score);
        if (next == image_count)
            break;
        choices[n] =
            (struct choice){next, score, isfinite(nearest[next]) ? nearest[next] : (double)NAN};
        taken[next] = true;
        approach(nearest, images, image_count, next);
    }
    free(nearest);
    free(taken);
    return (int64_t)n;
}
