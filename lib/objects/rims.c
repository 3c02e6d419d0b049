#include "objects/rims.h"

#include <stdbool.h>
#include <string.h>

#include "core/spill.h"
#include "objects/components.h"
#include "objects/morphology.h"

enum { RIM = 1, INSIDE = 2 };

/* ---- to classes ---- */

static bool is_rim(const uint32_t *labels, size_t height, size_t width, size_t at, int wide)
{
    int64_t y = (int64_t)(at / width), x = (int64_t)(at % width);
    for (int64_t v = -wide; v <= wide; v++)
        for (int64_t u = -wide; u <= wide; u++) {
            bool seen = v * v + u * u <= (int64_t)wide * wide && y + v >= 0 && x + u >= 0 &&
                        y + v < (int64_t)height && x + u < (int64_t)width;
            if (seen && labels[(y + v) * (int64_t)width + x + u] != labels[at])
                return true;
        }
    return false;
}

int rims_of_labels(uint32_t *labels, size_t height, size_t width, int wide, struct err *err)
{
    struct spill copy;
    if (spill_new(&copy, height * width * sizeof *labels, err))
        return -1;
    memcpy(copy.data, labels, height * width * sizeof *labels);
    for (size_t i = 0; i < height * width; i++)
        if (labels[i])
            labels[i] = is_rim(copy.data, height, width, i, wide) ? RIM : INSIDE;
    spill_free(&copy);
    return 0;
}

/* ---- and back ---- */

/* Pixels that have a label, insides first, then in the order in which they got it. */
struct front {
    uint32_t *pixels;
    size_t count;
};

/* Gives the label of pixel `at` to the rims about it. */
static void spread(struct front *front, uint32_t *labels, const uint32_t *rims, size_t height,
                   size_t width, size_t at)
{
    static const int nearest_first[8] = {1, 3, 5, 7, 0, 2, 6, 8};
    size_t y = at / width, x = at % width;
    for (int k = 0; k < 8; k++) {
        int d = nearest_first[k];
        size_t v = y + (size_t)(d / 3) - 1, u = x + (size_t)(d % 3) - 1, to = v * width + u;
        if (v < height && u < width && rims[to] && !labels[to]) {
            labels[to] = labels[at];
            front->pixels[front->count++] = (uint32_t)to;
        }
    }
}

/* labels: of insides; rims: 1 where there is one. */
static void grow(uint32_t *labels, const uint32_t *rims, size_t height, size_t width,
                 uint32_t *pixels)
{
    struct front front = {.pixels = pixels};
    for (size_t i = 0; i < height * width; i++)
        if (labels[i])
            front.pixels[front.count++] = (uint32_t)i;
    for (size_t i = 0; i < front.count; i++)
        spread(&front, labels, rims, height, width, front.pixels[i]);
}

/* labels: insides, then all; rims and spare: room. */
static int label_all(uint32_t *labels, uint32_t *rims, uint32_t *spare, size_t height, size_t width,
                     int connectivity, uint32_t *count, struct err *err)
{
    size_t n = height * width;
    uint32_t insides, alone;
    for (size_t i = 0; i < n; i++) {
        rims[i] = labels[i] == RIM;
        labels[i] = labels[i] >= INSIDE;
    }
    if (components_label(labels, height, width, connectivity, labels, &insides, err))
        return -1;
    grow(labels, rims, height, width, spare);
    for (size_t i = 0; i < n; i++)
        rims[i] = rims[i] && !labels[i];
    if (components_label(rims, height, width, connectivity, rims, &alone, err))
        return -1;
    for (size_t i = 0; i < n; i++)
        labels[i] = rims[i] ? insides + rims[i] : labels[i];
    return labels_renumber(labels, height, width, count, err);
}

int rims_to_labels(uint32_t *classes, size_t height, size_t width, int connectivity,
                   uint32_t *count, struct err *err)
{
    struct spill rims, spare;
    size_t bytes = height * width * sizeof *classes;
    if (height * width >= UINT32_MAX)
        return err_set(err, STATUS_DATA, "classes of %zu x %zu pixels are too many", width, height);
    if (spill_new(&rims, bytes, err))
        return -1;
    int rc = spill_new(&spare, bytes, err);
    if (rc == 0) {
        rc = label_all(classes, rims.data, spare.data, height, width, connectivity, count, err);
        spill_free(&spare);
    }
    spill_free(&rims);
    return rc;
}
