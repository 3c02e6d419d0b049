#include "objects/cells.h"

#include <math.h>
#include <string.h>

#include "objects/components.h"
#include "objects/morphology.h"
#include "objects/watershed.h"

/* What a method has unless it was told otherwise. */
static struct cell_options completed(struct cell_options options)
{
    bool flows = options.method == CELLS_FLOWS;
    options.fill |= flows;
    if (options.min_relative < 0)
        options.min_relative = options.steady && options.min_size < 0 ? FLOW_STEADY_SMALLEST : 0;
    if (options.min_size < 0)
        options.min_size = flows ? 15 : 0;
    return options;
}

void cells_beside_classes(struct cell_options *options, enum flow_target target, double threshold,
                          bool error_given)
{
    options->method = CELLS_FLOWS;
    options->flow.target = target;
    options->steady = true;
    options->flow.scale = 1;
    options->flow.cell_threshold =
        threshold > 0 ? threshold : 1 / (1 + exp(-options->flow.cell_threshold));
    if (error_given)
        return;
    options->flow.flow_threshold = FLOW_STEADY_ERROR;
    options->flow.small_threshold = FLOW_STEADY_SMALL_ERROR;
    options->flow.cut_threshold = FLOW_STEADY_CUT_ERROR;
}

static int make_steady(float *flow, const float *cell, size_t height, size_t width,
                       const struct flow_options *options, struct err *err)
{
    double sigma = FLOW_STEADY_FINE;
    if (options->target != FLOW_DISTANCE)
        sigma = flows_sigma(flows_diameter(flow, cell, height, width, options->cell_threshold));
    return flows_steady(flow, height, width, sigma, (double)options->scale, err);
}

static int find(uint32_t *labels, size_t height, size_t width, const struct cell_options *options,
                const float *map, float *flow, const float *cell, uint32_t *count, struct err *err)
{
    if (options->method == CELLS_KEEP)
        return 0;
    if (options->method == CELLS_FLOWS && options->steady &&
        make_steady(flow, cell, height, width, &options->flow, err))
        return -1;
    if (options->method == CELLS_FLOWS)
        return flows_to_labels(flow, cell, height, width, &options->flow, labels, count, err);
    if (options->method == CELLS_RIMS)
        return rims_to_labels(labels, height, width, options->connectivity, count, err);
    if (options->smooth && labels_smooth(labels, height, width, options->smooth, err))
        return -1;
    if (options->fill && labels_fill_holes(labels, height, width, options->max_hole, err))
        return -1;
    if (components_label(labels, height, width, options->connectivity, labels, count, err))
        return -1;
    if (options->method == CELLS_COMPONENTS)
        return 0;
    return watershed_split(labels, height, width, map, options->depth, count, err);
}

/* Objects of fewer pixels than min_size, or than a share of the median object's. */
static int remove_small(uint32_t *labels, size_t height, size_t width,
                        const struct cell_options *options, struct err *err)
{
    uint64_t least = (uint64_t)options->min_size;
    if (options->min_relative > 0) {
        uint64_t median;
        if (labels_median_area(labels, height, width, &median, err))
            return -1;
        double relative = ceil(options->min_relative * (double)median);
        least = relative > (double)least ? (uint64_t)relative : least;
    }
    return least > 1 ? labels_remove_small(labels, height, width, least, err) : 0;
}

int cells_find(uint32_t *labels, size_t height, size_t width, const struct cell_options *wanted,
               const float *map, float *flow, const float *cell, uint32_t *count, struct err *err)
{
    struct cell_options chosen = completed(*wanted), *options = &chosen;
    bool late = options->method >= CELLS_FLOWS;
    if (find(labels, height, width, options, map, flow, cell, count, err))
        return -1;
    if (late && options->smooth && labels_smooth(labels, height, width, options->smooth, err))
        return -1;
    if (late && options->fill && labels_fill_holes(labels, height, width, options->max_hole, err))
        return -1;
    if (options->clear_border && labels_clear_border(labels, height, width, err))
        return -1;
    if (remove_small(labels, height, width, options, err))
        return -1;
    bool numbered =
        !late && !options->clear_border && options->min_size <= 1 && options->min_relative <= 0;
    if (options->rims)
        return rims_of_labels(labels, height, width, options->rims, err);
    return options->method != CELLS_KEEP && !numbered
               ? labels_renumber(labels, height, width, count, err)
               : 0;
}

static bool has_several(const uint32_t *labels, size_t count)
{
    uint32_t first = 0;
    for (size_t i = 0; i < count; i++) {
        first = first ? first : labels[i];
        if (labels[i] && labels[i] != first)
            return true;
    }
    return false;
}

int cells_keep_classes(struct spill *classes, const uint32_t *labels, size_t count, struct err *err)
{
    *classes = (struct spill){0};
    if (!has_several(labels, count))
        return 0;
    if (spill_new(classes, count * sizeof *labels, err))
        return -1;
    memcpy(classes->data, labels, count * sizeof *labels);
    return 0;
}

uint32_t cells_class(const struct spill *classes, const uint32_t *labels, size_t width,
                     const struct box *box)
{
    const uint32_t *kept = classes->data;
    size_t at = box->top * width + box->left;
    while (labels[at] != box->label)
        at++;
    return kept ? kept[at] : 1;
}
