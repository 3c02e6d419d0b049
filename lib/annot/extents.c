/* Boxes and areas of the labels of an image, whatever their numbers. */
#include <stdlib.h>
#include <string.h>

#include "annot/annot.h"
#include "annot/labels.h"

struct table {
    struct annot_extent *slots; /* label 0 is free */
    size_t size, count;
};

static struct annot_extent *find(const struct table *table, uint32_t label)
{
    size_t i = (label * (size_t)0x9e3779b1u) & (table->size - 1);
    while (table->slots[i].label && table->slots[i].label != label)
        i = (i + 1) & (table->size - 1);
    return &table->slots[i];
}

static int grow(struct table *table, struct err *err)
{
    struct table larger = {.size = table->size ? 2 * table->size : 256, .count = table->count};
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (!larger.slots)
        return err_memory(err, "a list of objects");
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].label)
            *find(&larger, table->slots[i].label) = table->slots[i];
    free(table->slots);
    *table = larger;
    return 0;
}

static int get(struct table *table, uint32_t label, size_t x, size_t y,
               struct annot_extent **extent, struct err *err)
{
    if (2 * (table->count + 1) > table->size && grow(table, err))
        return -1;
    *extent = find(table, label);
    if ((*extent)->label == 0) {
        **extent = (struct annot_extent){label, {x, y, 1, 1}, 0};
        table->count++;
    }
    return 0;
}

/* Pixels [x, end) of row y. */
static void extend(struct annot_extent *extent, size_t x, size_t end, size_t y)
{
    struct annot_box *box = &extent->box;
    size_t right = box->x + box->width;
    box->x = x < box->x ? x : box->x;
    box->width = (end > right ? end : right) - box->x;
    box->height = y + 1 - box->y;
    extent->area += end - x;
}

static int add_row(struct table *table, const struct array *labels, size_t y, struct err *err)
{
    size_t width = labels->shape[1];
    for (size_t x = 0, end; x < width; x = end) {
        struct annot_extent *extent;
        uint32_t label = annot_label_at(labels, x, y);
        for (end = x + 1; end < width && annot_label_at(labels, end, y) == label;)
            end++;
        if (label == 0)
            continue;
        if (get(table, label, x, y, &extent, err))
            return -1;
        extend(extent, x, end, y);
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = ((const struct annot_extent *)a)->label;
    uint32_t y = ((const struct annot_extent *)b)->label;
    return (x > y) - (x < y);
}

int annot_extents(struct annot_extent **extents, size_t *count, const struct array *labels,
                  struct err *err)
{
    struct table table = {0};
    *extents = NULL;
    *count = 0;
    if (grow(&table, err))
        return -1;
    for (size_t y = 0; y < labels->shape[0]; y++)
        if (add_row(&table, labels, y, err)) {
            free(table.slots);
            return -1;
        }
    for (size_t i = 0; i < table.size; i++)
        if (table.slots[i].label)
            table.slots[(*count)++] = table.slots[i];
    qsort(table.slots, *count, sizeof *table.slots, compare);
    *extents = table.slots;
    return 0;
}
