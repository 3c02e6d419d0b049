#include "ops/cells.h"

#include "ops/components.h"
#include "ops/morphology.h"
#include "ops/watershed.h"

static int find(uint32_t *labels, size_t height, size_t width, const struct cell_rules *rules,
                const float *map, const float *flow, const float *cell, uint32_t *count,
                struct err *err)
{
    if (rules->method == CELLS_KEEP)
        return 0;
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

int cells_find(uint32_t *labels, size_t height, size_t width, const struct cell_rules *rules,
               const float *map, const float *flow, const float *cell, uint32_t *count,
               struct err *err)
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
    if (rules->min_size > 1 && labels_remove_small(labels, height, width, rules->min_size, err))
        return -1;
    bool numbered = !late && !rules->clear_border && rules->min_size <= 1;
    return rules->renumber && !numbered ? labels_renumber(labels, height, width, count, err) : 0;
}
