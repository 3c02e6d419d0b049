#include "objects/cell_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/outfile.h"
#include "core/text.h"

struct cell_table {
    struct outfile *out;
    bool has_head;
    size_t used; /* of text, which is written when it is full */
    char text[1 << 16];
};

int cell_table_open(struct cell_table **table, const char *path, struct err *err)
{
    struct cell_table *t = malloc(sizeof *t);
    if (!t)
        return err_memory(err, "a table");
    t->has_head = false;
    t->used = 0;
    if (outfile_open(&t->out, path, err)) {
        free(t);
        return -1;
    }
    *table = t;
    return 0;
}

static int flush(struct cell_table *t, struct err *err)
{
    size_t used = t->used;
    t->used = 0;
    return used ? outfile_write(t->out, t->text, used, err) : 0;
}

static int put(struct cell_table *t, const char *text, size_t length, struct err *err)
{
    if (t->used + length > sizeof t->text && flush(t, err))
        return -1;
    memcpy(t->text + t->used, text, length);
    t->used += length;
    return 0;
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
    return put(t, text, text_harmless(text, sizeof text, name), err);
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
    if (flush(table, err)) {
        cell_table_abort(table);
        return -1;
    }
    int rc = outfile_commit(table->out, err);
    free(table);
    return rc;
}

void cell_table_abort(struct cell_table *table)
{
    if (!table)
        return;
    outfile_abort(table->out);
    free(table);
}
