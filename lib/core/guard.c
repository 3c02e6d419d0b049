#include "core/guard.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/own.h"

enum { INPUT = 1, OUTPUT = 2, REWRITES = 4 };

/* What is known of a path and of a file; both are kept to the end of the run. */
struct place {
    char *path;   /* the folder's real path, a slash, the name */
    char *source; /* of a name that was made up, else NULL */
    unsigned marks;
};

struct inode {
    dev_t device;
    ino_t number;
    unsigned marks;
};

static void *places, *inodes; /* of tsearch(3) */
static bool forced;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int compare_places(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->path, ((const struct place *)b)->path);
}

static int compare_inodes(const void *a, const void *b)
{
    const struct inode *x = a, *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* New; in a folder that is not there as it was given.  NULL without memory. */
static char *real_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!folder)
        return NULL;
    char *real = realpath(folder, NULL);
    size_t size = strlen(real ? real : folder) + strlen(name) + 2;
    char *whole = malloc(size);
    if (whole)
        snprintf(whole, size, "%s/%s", real ? real : folder, name);
    free(real);
    free(folder);
    return whole;
}

/* Noted when it was not known; NULL without memory. */
static struct place *place_of(const char *path)
{
    struct place wanted = {.path = real_path(path)}, *place = NULL;
    if (!wanted.path)
        return NULL;
    struct place **found = tfind(&wanted, &places, compare_places);
    if (!found && (place = malloc(sizeof *place))) {
        *place = wanted;
        if (tsearch(place, &places, compare_places))
            return place;
    }
    free(wanted.path);
    free(place);
    return found ? *found : NULL;
}

static unsigned marks_of(const struct stat *st)
{
    struct inode wanted = {st->st_dev, st->st_ino, 0};
    struct inode **found = tfind(&wanted, &inodes, compare_inodes);
    return found ? (*found)->marks : 0;
}

static int mark_inode(const struct stat *st, unsigned marks)
{
    struct inode *inode = malloc(sizeof *inode), **node = NULL;
    if (inode) {
        *inode = (struct inode){st->st_dev, st->st_ino, 0};
        node = tsearch(inode, &inodes, compare_inodes);
    }
    if (node)
        (*node)->marks |= marks;
    if (!node || *node != inode)
        free(inode);
    return node ? 0 : -1;
}

static bool is_regular(const char *path, struct stat *st)
{
    return stat(path, st) == 0 && S_ISREG(st->st_mode);
}

/* ---- inputs ---- */

int guard_input(const char *path)
{
    struct stat st;
    if (!is_regular(path, &st))
        return 0;
    pthread_mutex_lock(&lock);
    struct place *place = place_of(path);
    bool noted = place && mark_inode(&st, INPUT) == 0;
    if (noted)
        place->marks |= INPUT;
    pthread_mutex_unlock(&lock);
    errno = noted ? errno : ENOMEM;
    return noted ? 0 : -1;
}

int guard_inputs(char *const *paths, int count, struct err *err)
{
    for (int i = 0; i < count; i++)
        if (guard_input(paths[i]))
            return err_memory(err, "names of inputs");
    return 0;
}

/* ---- outputs ---- */

void guard_force(void)
{
    forced = true;
}

int guard_rewrites(const char *path, struct err *err)
{
    pthread_mutex_lock(&lock);
    struct place *place = place_of(path);
    if (place)
        place->marks |= REWRITES;
    pthread_mutex_unlock(&lock);
    return place ? 0 : err_memory(err, "names of outputs");
}

int guard_made_up(const char *path, const char *source, struct err *err)
{
    pthread_mutex_lock(&lock);
    struct place *place = place_of(path);
    char *copy = place ? strdup(source) : NULL;
    if (copy) {
        free(place->source);
        place->source = copy;
    }
    pthread_mutex_unlock(&lock);
    return copy ? 0 : err_memory(err, "names of outputs");
}

/* Whether the output at `place` may replace the file that is there. */
static int may_replace(const struct place *place, const char *path, const struct stat *st,
                       struct err *err)
{
    unsigned marks = place->marks | marks_of(st);
    if (place->marks & REWRITES)
        return 0;
    if (marks & INPUT)
        return err_set(err, STATUS_CREATE, "create '%s': it is an input", path);
    if (marks_of(st) & OUTPUT)
        return err_set(err, STATUS_CREATE, "create '%s': this run wrote it already", path);
    if (!place->source || forced)
        return 0;
    int own = own_is(place->path, place->source, st, err);
    if (own == 0)
        return err_set(err, STATUS_CREATE,
                       "create '%s': it is there, and not from an earlier run for this input; "
                       "--force replaces it",
                       path);
    return own < 0 ? -1 : 0;
}

static int check(const char *path, struct place **place, struct err *err)
{
    struct stat st;
    *place = place_of(path);
    if (!*place)
        return err_memory(err, "names of outputs");
    return is_regular(path, &st) ? may_replace(*place, path, &st, err) : 0;
}

int guard_check(const char *path, struct err *err)
{
    struct place *place;
    pthread_mutex_lock(&lock);
    int result = check(path, &place, err);
    pthread_mutex_unlock(&lock);
    return result;
}

int guard_begin(const char *path, struct err *err)
{
    struct place *place;
    pthread_mutex_lock(&lock);
    int result = check(path, &place, err);
    if (result == 0 && place->marks & OUTPUT && !(place->marks & REWRITES))
        result = err_set(err, STATUS_CREATE, "create '%s': this run writes it already",
                         strcmp(path, "-") == 0 ? "standard output" : path);
    if (result == 0)
        place->marks |= OUTPUT;
    pthread_mutex_unlock(&lock);
    return result;
}

int guard_written(const char *path, struct err *err)
{
    struct stat st;
    int result = 0;
    pthread_mutex_lock(&lock);
    const struct place *place = place_of(path);
    if (!place)
        result = err_memory(err, "names of outputs");
    else if (!(place->marks & REWRITES) && is_regular(path, &st)) {
        if (mark_inode(&st, OUTPUT))
            result = err_memory(err, "names of outputs");
        else if (place->source)
            result = own_note(place->path, place->source, &st, err);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

void guard_give_up(const char *path)
{
    pthread_mutex_lock(&lock);
    struct place *place = place_of(path);
    if (place)
        place->marks &= ~(unsigned)OUTPUT;
    pthread_mutex_unlock(&lock);
}
