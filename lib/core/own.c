#define _GNU_SOURCE /* program_invocation_short_name */
#include "core/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/guard.h"
#include "core/io.h"
#include "core/names.h"

/* The lists that were read, each once; core/guard.c lets one thread in at a time. */
struct list {
    char *path;
    struct names lines;
    struct list *next;
};

static struct list *lists;

/* The file's line, new; "" for a source that is no file. */
static char *line_of(const char *path, const char *source, const struct stat *st)
{
    const char *name = strrchr(path, '/') + 1;
    char *real = realpath(source, NULL);
    if (!real)
        return errno == ENOMEM ? NULL : strdup("");
    size_t size = strlen(program_invocation_short_name) + strlen(real) + strlen(name) + 80;
    char *line = malloc(size);
    if (line)
        snprintf(line, size, "%s\t%s\t%s\t%lld\t%lld.%09ld", program_invocation_short_name, real,
                 name, (long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    free(real);
    for (char *p = line; p && *p; p++)
        *p = *p == '\n' ? '?' : *p;
    return line ? strcat(line, "\n") : NULL;
}

static char *list_path(const char *path)
{
    size_t folder = (size_t)(strrchr(path, '/') + 1 - path), size = folder + sizeof GUARD_LIST;
    char *list = malloc(size);
    if (list)
        snprintf(list, size, "%.*s%s", (int)folder, path, GUARD_LIST);
    return list;
}

/* ---- reading ---- */

static int read_lines(struct list *list, struct err *err)
{
    FILE *file = fopen(list->path, "re");
    if (!file)
        return errno == ENOENT ? 0
                               : err_errno(err, err_open_status(errno), "open '%s'", list->path);
    char *line = NULL;
    size_t room = 0;
    int result = 0;
    while (result >= 0 && getline(&line, &room, file) >= 0)
        result = names_add(&list->lines, line, err);
    if (result >= 0 && !feof(file))
        result = err_errno(err, STATUS_IO, "read '%s'", list->path);
    free(line);
    fclose(file);
    return result < 0 ? -1 : 0;
}

static void free_list(struct list *list)
{
    if (list) {
        names_free(&list->lines);
        free(list->path);
    }
    free(list);
}

static struct list *list_of(const char *path, struct err *err)
{
    struct list *list = calloc(1, sizeof *list);
    if (!list || !(list->path = list_path(path))) {
        free_list(list);
        err_memory(err, "names of outputs");
        return NULL;
    }
    for (struct list *known = lists; known; known = known->next)
        if (strcmp(known->path, list->path) == 0) {
            free_list(list);
            return known;
        }
    if (read_lines(list, err)) {
        free_list(list);
        return NULL;
    }
    list->next = lists;
    return lists = list;
}

int own_is(const char *path, const char *source, const struct stat *st, struct err *err)
{
    char *line = line_of(path, source, st);
    if (!line)
        return err_memory(err, "names of outputs");
    const struct list *list = *line ? list_of(path, err) : NULL;
    int own = list ? names_has(&list->lines, line) : *line ? -1 : 0;
    free(line);
    return own;
}

/* ---- writing ---- */

/* In one write, so that lines of programs that run beside each other stay whole. */
static int append(const char *path, const char *line, struct err *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_errno(err, STATUS_CREATE, "create '%s'", path);
    int failed = io_write(fd, line, strlen(line));
    if (close(fd) || failed)
        return err_errno(err, STATUS_IO, "write '%s'", path);
    return 0;
}

int own_note(const char *path, const char *source, const struct stat *st, struct err *err)
{
    char *line = line_of(path, source, st), *list = list_path(path);
    int result = !line || !list ? err_memory(err, "names of outputs")
                 : *line        ? append(list, line, err)
                                : 0;
    free(line);
    free(list);
    return result;
}
