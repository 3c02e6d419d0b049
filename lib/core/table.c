#include "core/table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/growing.h"
#include "core/outfile.h"

struct table {
    struct outfile *out;
    bool csv, first; /* first: the cell is the first of its line */
    struct growing cell;
};

static bool is_csv_name(const char *path)
{
    size_t length = strlen(path);
    return length >= 4 && strcasecmp(path + length - 4, ".csv") == 0;
}

int table_open(struct table **table, const char *path, bool csv, struct err *err)
{
    struct table *t = malloc(sizeof *t);
    if (!t)
        return err_memory(err, "a table");
    t->csv = csv || is_csv_name(path);
    t->first = true;
    t->cell = (struct growing){.size = 1};
    if (outfile_open(&t->out, path, err)) {
        free(t);
        return -1;
    }
    *table = t;
    return 0;
}

static int put(struct table *t, const char *text, size_t length, struct err *err)
{
    return outfile_put(t->out, text, length, err);
}

/* ---- with commas ---- */

static int put_quoted(struct table *t, const char *cell, size_t length, struct err *err)
{
    if (put(t, "\"", 1, err))
        return -1;
    for (size_t i = 0; i < length; i++)
        if (put(t, cell[i] == '"' ? "\"\"" : &cell[i], cell[i] == '"' ? 2 : 1, err))
            return -1;
    return put(t, "\"", 1, err);
}

/* The cell that is complete, and what follows it. */
static int end_cell(struct table *t, char mark, struct err *err)
{
    const char *cell = t->cell.items;
    size_t length = t->cell.count;
    bool empty = length == 0 || (!t->first && length == 3 && memcmp(cell, "nan", 3) == 0);
    bool quoted = !empty && (memchr(cell, ',', length) || memchr(cell, '"', length));
    if (!empty && (quoted ? put_quoted(t, cell, length, err) : put(t, cell, length, err)))
        return -1;
    t->cell.count = 0;
    t->first = mark == '\n';
    return put(t, mark == '\t' ? "," : "\n", 1, err);
}

static int put_cells(struct table *t, const char *text, size_t length, struct err *err)
{
    while (length > 0) {
        size_t n = 0;
        while (n < length && text[n] != '\t' && text[n] != '\n')
            n++;
        if (growing_add_all(&t->cell, text, n, err))
            return -1;
        if (n < length && end_cell(t, text[n], err))
            return -1;
        n += n < length;
        text += n;
        length -= n;
    }
    return 0;
}

/* ---- the table ---- */

int table_write(struct table *table, const char *text, size_t length, struct err *err)
{
    return table->csv ? put_cells(table, text, length, err) : put(table, text, length, err);
}

int table_commit(struct table *table, struct err *err)
{
    int rc = outfile_commit(table->out, err);
    growing_free(&table->cell);
    free(table);
    return rc;
}

void table_abort(struct table *table)
{
    if (!table)
        return;
    outfile_abort(table->out);
    growing_free(&table->cell);
    free(table);
}

/* ---- on standard output ---- */

int table_print_begin(struct table_print *print, bool csv, struct err *err)
{
    *print = (struct table_print){.to = stdout};
    if (csv)
        print->to = open_memstream(&print->text, &print->size);
    return print->to ? 0 : err_memory(err, "a table");
}

int table_print_end(struct table_print *print, struct err *err)
{
    struct table *table;
    if (print->to == stdout)
        return 0;
    int rc = fclose(print->to) ? err_memory(err, "a table") : table_open(&table, "-", true, err);
    if (rc == 0 && table_write(table, print->text, print->size, err)) {
        table_abort(table);
        rc = -1;
    } else if (rc == 0)
        rc = table_commit(table, err);
    free(print->text);
    return rc;
}
