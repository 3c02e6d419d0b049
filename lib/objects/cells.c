#include "objects/cells.h"

#include <math.h>
#include <string.h>

#include "objects/components.h"
#include "objects/morphology.h"
#include "objects/watershed.h"

void cells_complete(struct cell_rules *rules, int64_t min_size, double min_relative)
{
    bool flows = rules->method == CELLS_FLOWS;
    rules->fill |= flows;
    rules->renumber = rules->method != CELLS_KEEP;
    rules->min_size = min_size >= 0 ? (uint64_t)min_size : flows ? 15 : 0;
    rules->min_relative = min_relative >= 0                   ? min_relative
                          : rules->steady > 0 && min_size < 0 ? FLOW_STEADY_SMALLEST
                                                              : 0;
}

void cells_beside_classes(struct cell_rules *rules, double threshold, bool error_given)
{
    rules->method = CELLS_FLOWS;
    rules->steady = FLOW_STEADY_SIGMA;
    rules->flow.scale = 1;
    rules->flow.cell_threshold =
        threshold > 0 ? threshold : 1 / (1 + exp(-rules->flow.cell_threshold));
    if (error_given)
        return;
    rules->flow.flow_threshold = FLOW_STEADY_ERROR;
    rules->flow.small_threshold = FLOW_STEADY_SMALL_ERROR;
}

static int find(uint32_t *labels, size_t height, size_t width, const struct cell_rules *rules,
                const float *map, float *flow, const float *cell, uint32_t *count, struct err *err)
{
    if (rules->method == CELLS_KEEP)
        return 0;
    if (rules->method == CELLS_FLOWS && rules->steady > 0 &&
        flows_steady(flow, height, width, rules->steady, (double)rules->flow.scale, err))
        return -1;
    if (rules->method == CELLS_FLOWS)
        return flows_to_labels(flow, cell, height, width, &rules->flow, labels, count, err);
    if (rules->smooth && labels_smooth(labels, height, width, rules->smooth, err))
        return -1;
    if (rules->fill && labels_fill_holes(labels, height, width, rules->max_hole, err))
        return -1;
    if (components_label(labels, height, width, rules->connectivity, labels, count, err))
        return -1;
    if (rules->method == CELLS_COMPONENTS)
        return 0;
    return watershed_split(labels, height, width, map, rules->depth, count, err);
}

/* Objects of fewer pixels than min_size, or than a share of the median object's. */
static int remove_small(uint32_t *labels, size_t height, size_t width,
                        const struct cell_rules *rules, struct err *err)
{
    uint64_t least = rules->min_size;
    if (rules->min_relative > 0) {
        uint64_t median;
        if (labels_median_area(labels, height, width, &median, err))
            return -1;
        double relative = ceil(rules->min_relative * (double)median);
        least = relative > (double)least ? (uint64_t)relative : least;
    }
    return least > 1 ? labels_remove_small(labels, height, width, least, err) : 0;
}

int cells_find(uint32_t *labels, size_t height, size_t width, const struct cell_rules *rules,
               const float *map, float *flow, const float *cell, uint32_t *count, struct err *err)
{
    bool late = rules->method == CELLS_FLOWS || rules->method == CELLS_KEEP;
    if (find(labels, height, width, rules, map, flow, cell, count, err))
        return -1;
    if (late && rules->smooth && labels_smooth(labels, height, width, rules->smooth, err))
        return -1;
    if (late && rules->fill && labels_fill_holes(labels, height, width, rules->max_hole, err))
        return -1;
    if (rules->clear_border && labels_clear_border(labels, height, width, err))
        return -1;
    if (remove_small(labels, height, width, rules, err))
        return -1;
    bool numbered =
        !late && !rules->clear_border && rules->min_size <= 1 && rules->min_relative <= 0;
    return rules->renumber && !numbered ? labels_renumber(labels, height, width, count, err) : 0;
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
