#include "objects/measure.h"

#include <stdbool.h>
#include <stdlib.h>

#include "objects/under.h"

/* What lies under the objects. */
struct underlay {
    struct under image, probability, uncertainty;
};

static void underlay_free(struct underlay *u)
{
    under_free(&u->image);
    under_free(&u->probability);
    under_free(&u->uncertainty);
}

static int underlay_new(struct underlay *u, const struct boxes *boxes, int channels,
                        bool has_probability, bool has_uncertainty, struct err *err)
{
    *u = (struct underlay){0};
    if (under_new(&u->image, boxes, (size_t)channels, err) ||
        (has_probability && under_new(&u->probability, boxes, 1, err)) ||
        (has_uncertainty && under_new(&u->uncertainty, boxes, 1, err))) {
        underlay_free(u);
        return -1;
    }
    return 0;
}

static int sweep(struct underlay *u, const uint32_t *labels, size_t height, size_t width,
                 const struct measure_image *image, const float *probability,
                 const float *uncertainty, struct err *err)
{
    float *row = malloc(width * (size_t)image->channels * sizeof *row + 1);
    int rc = row ? 0 : err_memory(err, "a row");
    for (size_t y = 0; rc == 0 && y < height; y++) {
        const uint32_t *here = labels + y * width;
        if (image->channels)
            rc = image->row(image->source, row, err);
        if (rc == 0 && image->channels)
            under_row(&u->image, here, row, width);
        if (probability)
            under_row(&u->probability, here, probability + y * width, width);
        if (uncertainty)
            under_row(&u->uncertainty, here, uncertainty + y * width, width);
    }
    free(row);
    return rc;
}

static void describe(struct region *region, const struct underlay *u, size_t object, int channels)
{
    for (int c = 0; c < channels; c++) {
        region->mean[c] = under_mean(&u->image, object, (size_t)c);
        region->sd[c] = under_sd(&u->image, object, (size_t)c);
    }
    if (u->probability.planes)
        region->mean_probability = under_mean(&u->probability, object, 0);
    if (u->uncertainty.planes)
        region->mean_uncertainty = under_mean(&u->uncertainty, object, 0);
}

int measure_all(const uint32_t *labels, size_t height, size_t width,
                const struct measure_image *image, const float *probability,
                const float *uncertainty, measure_take *take, void *user, struct err *err)
{
    struct boxes boxes;
    struct underlay under;
    struct region_room room = {0};
    struct spill runs = {0};
    if (boxes_of(&boxes, labels, height, width, err))
        return -1;
    int rc = underlay_new(&under, &boxes, image->channels, probability, uncertainty, err);
    if (rc == 0 && (image->channels || probability || uncertainty))
        rc = sweep(&under, labels, height, width, image, probability, uncertainty, err);
    if (rc == 0)
        rc = runs_of(&runs, &boxes, labels, height, width, err);
    for (size_t i = 0; rc == 0 && i < boxes.count; i++) {
        const struct box *box = &boxes.items[i];
        struct region region;
        rc = region_measure(&region, box, (struct run *)runs.data + box->first_run, &room, err);
        if (rc == 0) {
            describe(&region, &under, i, image->channels);
            rc = take(user, &region, err);
        }
    }
    region_room_free(&room);
    spill_free(&runs);
    underlay_free(&under);
    boxes_free(&boxes);
    return rc;
}
