#include "objects/flow_targets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/convert.h"
#include "objects/flows.h"
#include "objects/morphology.h"
#include "objects/regions.h"

#define LEAST_DIAMETER 5.0
#define SMALLEST_CELL  15 /* pixels, as published */
#define PI             3.14159265358979323846

/* ---- diameters ---- */

static double diameter_of(const struct box *box)
{
    return 2 * sqrt((double)box->area / PI);
}

int cells_diameter(const uint32_t *labels, size_t height, size_t width, double *diameter,
                   struct err *err)
{
    struct boxes boxes;
    *diameter = 0;
    if (boxes_of(&boxes, labels, height, width, err))
        return -1;
    if (boxes.count) {
        boxes_sort_by_area(&boxes);
        double below = diameter_of(&boxes.items[(boxes.count - 1) / 2]);
        double above = diameter_of(&boxes.items[boxes.count / 2]);
        *diameter = fmax(LEAST_DIAMETER, (below + above) / 2);
    }
    boxes_free(&boxes);
    return 0;
}

uint32_t *mask_labels(const struct array *mask, struct err *err)
{
    uint32_t *labels = malloc(array_count(mask) * sizeof *labels + 1);
    if (!labels)
        err_memory(err, "labels");
    else if (convert_labels(mask, labels, err) == 0)
        return labels;
    free(labels);
    return NULL;
}

int mask_diameter(const struct array *mask, double *diameter, struct err *err)
{
    uint32_t *labels = mask_labels(mask, err);
    int result =
        labels ? cells_diameter(labels, mask->shape[0], mask->shape[1], diameter, err) : -1;
    free(labels);
    return result;
}

int answer_diameter(const float *answer, size_t height, size_t width, double *diameter,
                    struct err *err)
{
    const struct flow_options options = FLOW_OPTIONS_DEFAULT;
    uint32_t *labels = malloc(height * width * sizeof *labels + 1), count;
    if (!labels)
        return err_memory(err, "labels");
    int result = flows_to_labels(answer, answer + 2 * height * width, height, width, &options,
                                 labels, &count, err) ||
                         labels_remove_small(labels, height, width, SMALLEST_CELL, err) ||
                         cells_diameter(labels, height, width, diameter, err)
                     ? -1
                     : 0;
    free(labels);
    return result;
}

/* ---- flows ---- */

/* The same picture with a margin on all sides. */
static struct augment_draw widened(const struct augment_draw *draw, size_t margin)
{
    struct augment_draw wide = *draw;
    double *m = wide.matrix, shift = (double)margin;
    wide.out_height += 2 * margin;
    wide.out_width += 2 * margin;
    m[2] -= shift * (m[0] + m[1]);
    m[5] -= shift * (m[3] + m[4]);
    return wide;
}

static void copy_inner(const float *from, size_t height, size_t width, size_t margin, float *to)
{
    size_t inner_height = height - 2 * margin, inner_width = width - 2 * margin;
    for (size_t y = 0; y < inner_height; y++)
        memcpy(to + y * inner_width, from + (y + margin) * width + margin,
               inner_width * sizeof *to);
}

int flow_targets(const struct augment_draw *draw, const struct array *mask, size_t margin,
                 enum flow_target target, float *flows, struct err *err)
{
    struct augment_draw wide = widened(draw, margin);
    struct array cells;
    size_t height = wide.out_height, width = wide.out_width, plane = height * width;
    if (augment_mask(&wide, mask, true, &cells, err))
        return -1;
    float *all = malloc(2 * plane * sizeof *all + 1);
    int result = all ? flows_of_labels(cells.data, height, width, target, all, err)
                     : err_memory(err, "flows");
    for (size_t i = 0; i < 2 && result == 0; i++)
        copy_inner(all + i * plane, height, width, margin,
                   flows + i * draw->out_height * draw->out_width);
    free(all);
    array_free(&cells);
    return result;
}
