#include "objects/cell_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/num.h"
#include "core/table.h"
#include "core/text.h"

struct cell_table {
    struct table *table;
    bool has_head;
};

int cell_table_open(struct cell_table **table, const char *path, struct err *err)
{
    struct cell_table *t = calloc(1, sizeof *t);
    if (!t)
        return err_memory(err, "a table");
    if (table_open(&t->table, path, false, err)) {
        free(t);
        return -1;
    }
    *table = t;
    return 0;
}

static int put(struct cell_table *t, const char *text, size_t length, struct err *err)
{
    return table_write(t->table, text, length, err);
}

static int put_number(struct cell_table *t, double value, struct err *err)
{
    char text[NUM_PRINT_SIZE + 1] = "\t";
    return put(t, text, 1 + num_print(text + 1, value), err);
}

/* A name must not break a line of the table. */
static int put_name(struct cell_table *t, const char *name, struct err *err)
{
    char text[TEXT_GROWTH * 1100];
    size_t length = text_harmless(text, sizeof text, name);
    return put(t, text, length, err);
}

int cell_table_head(struct cell_table *table, const struct quantity *quantities, int count,
                    struct err *err)
{
    static const char first[] = "image\tid\tclass";
    if (table->has_head)
        return 0;
    table->has_head = true;
    int rc = put(table, first, sizeof first - 1, err);
    for (int i = 0; rc == 0 && i < 2 * count; i++) {
        const struct quantity *q = &quantities[i % count];
        const char *unit = i < count ? "" : q->kind == QUANTITY_AREA ? "_um2" : "_um";
        char text[64];
        int length = snprintf(text, sizeof text, "\t%s%s", q->name, unit);
        if (i < count || q->kind != QUANTITY_PLAIN)
            rc = put(table, text, (size_t)length, err);
    }
    return rc ? -1 : put(table, "\n", 1, err);
}

int cell_table_put(struct cell_table *table, const struct cell_line *line,
                   const struct quantity *quantities, int count, struct err *err)
{
    char text[64];
    int length = snprintf(text, sizeof text, "\t%u\t%u", line->id, line->class);
    int rc = put_name(table, line->image, err);
    if (rc == 0)
        rc = put(table, text, (size_t)length, err);
    for (int i = 0; rc == 0 && i < count; i++)
        rc = put_number(table, quantities[i].value, err);
    for (int i = 0; rc == 0 && i < count; i++)
        if (quantities[i].kind != QUANTITY_PLAIN)
            rc = put_number(
                table, quantity_physical(&quantities[i], line->pixel_height, line->pixel_width),
                err);
    return rc ? -1 : put(table, "\n", 1, err);
}

int cell_table_commit(struct cell_table *table, struct err *err)
{
    int rc = table_commit(table->table, err);
    free(table);
    return rc;
}

void cell_table_abort(struct cell_table *table)
{
    if (!table)
        return;
    table_abort(table->table);
    free(table);
}
