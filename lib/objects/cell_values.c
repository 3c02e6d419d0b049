#include "objects/cell_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    uint32_t label;
    size_t row;
};

int cell_values_add(struct cell_values *values, uint32_t label, const struct quantity *quantities,
                    int count, struct err *err)
{
    struct cell cell = {label, values->cells.count};
    values->cells.size = sizeof cell;
    values->values.size = sizeof(double);
    values->sorted = false;
    if (cell.row == 0) {
        memcpy(values->names, quantities, (size_t)count * sizeof *quantities);
        values->count = count;
    }
    for (int i = 0; i < count; i++)
        if (growing_add(&values->values, &quantities[i].value, err))
            return -1;
    return growing_add(&values->cells, &cell, err);
}

void cell_values_free(struct cell_values *values)
{
    growing_free(&values->cells);
    growing_free(&values->values);
    *values = (struct cell_values){0};
}

int cell_values_count(const struct cell_values *values)
{
    return 2 * values->count;
}

static int by_label(const void *a, const void *b)
{
    uint32_t x = ((const struct cell *)a)->label, y = ((const struct cell *)b)->label;
    return (x > y) - (x < y);
}

static const struct cell *find(struct cell_values *values, uint32_t label)
{
    struct cell wanted = {label, 0}, *cells = values->cells.items;
    if (values->cells.count == 0)
        return NULL;
    if (!values->sorted)
        qsort(cells, values->cells.count, sizeof *cells, by_label);
    values->sorted = true;
    return bsearch(&wanted, cells, values->cells.count, sizeof *cells, by_label);
}

double cell_values_get(struct cell_values *values, uint32_t label, int column, char *name)
{
    const struct cell *cell = find(values, label);
    bool physical = column >= values->count;
    struct quantity quantity = values->names[column % values->count];
    const char *unit = !physical ? "" : quantity.kind == QUANTITY_AREA ? "_um2" : "_um";
    snprintf(name, CELL_VALUES_NAME, "%s%s", quantity.name, unit);
    if (!cell)
        return NAN;
    quantity.value =
        ((double *)values->values
             .items)[cell->row * (size_t)values->count + (size_t)(column % values->count)];
    return physical ? quantity_physical(&quantity, values->pixel_height, values->pixel_width)
                    : quantity.value;
}
