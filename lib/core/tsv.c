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
#include "core/table.h"

#define MAX_BYTES (1 << 24)

static int read_text(struct tsv *tsv, const char *path, struct err *err)
{
    int fd = io_open(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");
    if (!file) {
        err_errno(err, err_open_status(errno), "open '%s'", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    tsv->text = malloc(MAX_BYTES + 1);
    size_t size = tsv->text ? fread(tsv->text, 1, MAX_BYTES + 1, file) : 0;
    bool failed = ferror(file);
    int saved = errno;
    fclose(file);
    errno = saved;
    if (!tsv->text)
        return err_memory(err, path);
    if (failed)
        return err_errno(err, STATUS_IO, "read '%s'", path);
    if (size > MAX_BYTES || memchr(tsv->text, '\0', size))
        return err_set(err, STATUS_DATA, "read '%s': not a table", path);
    tsv->text[size] = '\0';
    char *exact = realloc(tsv->text, size + 1);
    tsv->text = exact ? exact : tsv->text;
    // cppcheck-suppress memleak ; the table has it
    return 0;
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
