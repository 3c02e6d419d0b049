#include "core/tsv.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/growing.h"
#include "core/io.h"
#include "core/limits.h"
#include "core/table.h"

#define CHUNK ((size_t)1 << 15)

/* What is there, chunk by chunk, so that a small table takes little; a zero byte ends it early. */
static int read_chunks(struct growing *text, int fd, const char *path, struct err *err)
{
    char chunk[CHUNK];
    ssize_t n;
    while ((n = io_read(fd, chunk, sizeof chunk)) > 0) {
        if (memchr(chunk, '\0', (size_t)n))
            return err_set(err, STATUS_DATA, "read '%s': not a table", path);
        if (limits_check_memory(text->count + (size_t)n, "all of it", err))
            return err_prefix(err, "read '%s'", path);
        if (growing_add_all(text, chunk, (size_t)n, err))
            return -1;
    }
    return n < 0 ? err_errno(err, err_open_status(errno), "read '%s'", path)
                 : growing_add(text, "", err);
}

static int read_text(struct tsv *tsv, const char *path, struct err *err)
{
    struct growing text = {.size = 1};
    int fd = io_open(path);
    if (fd < 0)
        return err_errno(err, err_open_status(errno), "open '%s'", path);
    int rc = read_chunks(&text, fd, path, err);
    close(fd);
    char *exact = rc ? NULL : realloc(text.items, text.count);
    tsv->text = exact ? exact : text.items;
    return rc;
}

static size_t count_of(const char *text, char c)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == c;
    return count;
}

/* Cuts the text at every `separator`; the pieces go to `to`. */
static size_t split(char *text, char separator, char **to)
{
    size_t count = 0;
    for (char *next; text; text = next) {
        next = strchr(text, separator);
        if (next)
            *next++ = '\0';
        to[count++] = text;
    }
    return count;
}

static int add_row(struct tsv *tsv, char *line, const char *path, size_t number, struct err *err)
{
    size_t cells = count_of(line, '\t') + 1;
    if (tsv->columns && cells != tsv->columns)
        return err_set(err, STATUS_DATA, "read '%s': line %zu has %zu cells, the header %zu", path,
                       number, cells, tsv->columns);
    if (!tsv->columns) {
        tsv->names = malloc(cells * sizeof *tsv->names);
        if (!tsv->names)
            return err_memory(err, path);
        tsv->columns = split(line, '\t', tsv->names);
        return 0;
    }
    if (growing_room(&tsv->cells, tsv->rows, cells * sizeof *tsv->cells, err))
        return -1;
    split(line, '\t', tsv->cells + tsv->rows * cells);
    tsv->rows++;
    return 0;
}

static int parse(struct tsv *tsv, const char *path, struct err *err)
{
    size_t number = 0;
    tsv->remarks = malloc((count_of(tsv->text, '\n') + 1) * sizeof *tsv->remarks);
    if (!tsv->remarks)
        return err_memory(err, path);
    for (char *line = tsv->text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        line[strcspn(line, "\r")] = '\0';
        number++;
        if (*line == '#')
            tsv->remarks[tsv->remark_count++] = line;
        else if (*line && add_row(tsv, line, path, number, err))
            return -1;
    }
    return 0;
}

int tsv_read(struct tsv *tsv, const char *path, struct err *err)
{
    *tsv = (struct tsv){0};
    if (read_text(tsv, path, err) == 0 && parse(tsv, path, err) == 0)
        return 0;
    tsv_free(tsv);
    return -1;
}

void tsv_free(struct tsv *tsv)
{
    free(tsv->text);
    free(tsv->remarks);
    free(tsv->names);
    free(tsv->cells);
    *tsv = (struct tsv){0};
}

size_t tsv_column(const struct tsv *tsv, const char *name)
{
    size_t column = 0;
    while (column < tsv->columns && strcmp(tsv->names[column], name) != 0)
        column++;
    return column;
}

const char *tsv_cell(const struct tsv *tsv, size_t row, size_t column)
{
    return tsv->cells[row * tsv->columns + column];
}

const char *tsv_remark(const struct tsv *tsv, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < tsv->remark_count; i++) {
        const char *text = tsv->remarks[i] + 1;
        text += strspn(text, " ");
        if (strncmp(text, name, length) == 0 && text[length] == '\t')
            return text + length + 1;
    }
    return NULL;
}

static int write_rows(struct table *out, const char *const *names, size_t columns,
                      const double *values, size_t rows, struct err *err)
{
    for (size_t i = 0; i < (rows + 1) * columns; i++) {
        char text[40];
        double value = i < columns ? 0 : values[i - columns];
        snprintf(text, sizeof text, isnan(value) ? "nan" : "%.10g", value);
        const char *cell = i < columns ? names[i] : text;
        if (table_write(out, cell, strlen(cell), err) ||
            table_write(out, i % columns == columns - 1 ? "\n" : "\t", 1, err))
            return -1;
    }
    return 0;
}

int tsv_write(const char *path, const char *const *names, size_t columns, const double *values,
              size_t rows, struct err *err)
{
    struct table *out;
    if (table_open(&out, path, false, err))
        return -1;
    if (write_rows(out, names, columns, values, rows, err)) {
        table_abort(out);
        return -1;
    }
    return table_commit(out, err);
}
