/* The files of a run, and whose they are. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/guard.h"
#include "core/io.h"
#include "core/lock.h"
#include "train/internal.h"

#define HEAD ((size_t)1 << 16) /* bytes of a file that tell what it is */

/* FILE with its ending replaced. */
static int name_beside(char *path, size_t size, const char *output, const char *ending,
                       struct err *err)
{
    const char *dot = strrchr(output, '.'), *slash = strrchr(output, '/');
    size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - output) : strlen(output);
    if (stem + strlen(ending) >= size)
        return err_set(err, STATUS_CREATE, "create '%s': name too long", output);
    memcpy(path, output, stem);
    strcpy(path + stem, ending);
    return 0;
}

/* Whether the begin of a file has the text; one that is not there, or is empty, has. */
static bool begins_with(const char *path, const char *text, bool anywhere)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    char *head = malloc(HEAD);
    ssize_t size = head ? io_read_at(fd, head, HEAD, 0) : -1;
    size_t n = size > 0 ? (size_t)size : 0, length = strlen(text);
    bool has = size == 0;
    for (size_t i = 0; !has && i + length <= n && (anywhere || i == 0); i++)
        has = memcmp(head + i, text, length) == 0;
    free(head);
    close(fd);
    return has;
}

/* The run replaces this file again and again, but no input. */
static int claim(const char *path, struct err *err)
{
    return path && (guard_check(path, err) || guard_rewrites(path, err)) ? -1 : 0;
}

/* One with a name made up must have been train's own. */
static int claim_beside(const char *path, const char *text, bool anywhere, struct err *err)
{
    if (claim(path, err))
        return -1;
    return begins_with(path, text, anywhere)
               ? 0
               : err_set(err, STATUS_CREATE,
                         "create '%s': it is there, and no run of train made it", path);
}

/* Two runs into the same files would each drop what the other wrote. */
static int lock_files(struct session *s, struct err *err)
{
    char name[sizeof s->checkpoint_name + sizeof ".lock"];
    snprintf(name, sizeof name, "%s.lock", s->checkpoint_name);
    return session_is_first(s) ? lock_take(&s->lock, name, "trains into these files", err) : 0;
}

int session_name_files(struct session *s, struct err *err)
{
    const struct session_options *o = &s->options;
    if (name_beside(s->log_name, sizeof s->log_name, o->output, ".tsv", err) ||
        name_beside(s->checkpoint_name, sizeof s->checkpoint_name, o->output, ".ckpt", err) ||
        name_beside(s->last_name, sizeof s->last_name, o->output, ".last.safetensors", err))
        return -1;
    if (o->log && strlen(o->log) >= sizeof s->log_name)
        return err_set(err, STATUS_CREATE, "create '%s': name too long", o->log);
    if (o->log)
        strcpy(s->log_name, o->log);
    if (o->init && guard_input(o->init))
        return err_memory(err, "names of inputs");
    if (claim(o->output, err) || claim(o->plot, err) || claim(o->outliers, err) ||
        (o->log && claim(o->log, err)) ||
        (!o->log && claim_beside(s->log_name, RECORD_BEGIN, false, err)))
        return -1;
    return lock_files(s, err) || claim_beside(s->checkpoint_name, "\"data_sha256\"", true, err) ||
                   claim_beside(s->last_name, "\"data_sha256\"", true, err)
               ? -1
               : 0;
}
