/* The table of cells: shapes of all objects of a label image, and what lies under
 * them in other images, which are read row by row. */
#ifndef OBJECTS_MEASURE_H
#define OBJECTS_MEASURE_H

#include "objects/regions.h"

/* An image as rows of width x channels floats; the first call gives the first row. */
struct measure_image {
    int channels; /* at most REGION_MAX_CHANNELS, 0 for no image */
    int (*row)(void *source, float *to, struct err *err);
    void *source;
};

typedef int measure_take(void *user, const struct region *region, struct err *err);

/* Gives each object to `take`, in the order of their first pixels.  labels: height x
 * width; probability, uncertainty: the same or NULL. */
int measure_all(const uint32_t *labels, size_t height, size_t width,
                const struct measure_image *image, const float *probability,
                const float *uncertainty, measure_take *take, void *user,
                struct err *err) MUST_CHECK;

#endif
