#include "core/outfile.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/growing.h"
#include "core/guard.h"
#include "core/io.h"
#include "core/leftover.h"
#include "core/text.h"

#define MAX_OPEN 16
#define FLUSH_AT ((size_t)1 << 16)

struct outfile {
    int fd;
    char *path;             /* as given */
    char *temporary;        /* NULL when written in place */
    int slot;               /* in open_temporaries, or -1 */
    bool is_guarded;        /* core/guard.h was asked */
    struct growing waiting; /* bytes to be written */
};

/* What outfile_remove_all unlinks: read in signal handlers, so only pointers
 * that are complete are ever stored. */
static _Atomic(const char *) open_temporaries[MAX_OPEN];

static int remember(const char *temporary)
{
    for (int i = 0; i < MAX_OPEN; i++) {
        const char *expected = NULL;
        if (atomic_compare_exchange_strong(&open_temporaries[i], &expected, temporary))
            return i;
    }
    return -1;
}

static void forget(int slot)
{
    if (slot >= 0)
        atomic_store(&open_temporaries[slot], NULL);
}

void outfile_remove_all(void)
{
    for (int i = 0; i < MAX_OPEN; i++) {
        const char *temporary = atomic_load(&open_temporaries[i]);
        if (temporary)
            unlink(temporary);
    }
}

static void release(struct outfile *out)
{
    growing_free(&out->waiting);
    free(out->path);
    free(out->temporary);
    free(out);
}

static void give_up(const struct outfile *out)
{
    if (out->is_guarded)
        guard_give_up(out->path);
}

static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int open_in_place(struct outfile *out, struct err *err)
{
    bool standard = strcmp(out->path, "-") == 0;
    out->fd = standard ? dup(STDOUT_FILENO) : open(out->path, O_WRONLY | O_CLOEXEC);
    if (out->fd < 0)
        return err_errno(err, STATUS_CREATE, "create '%s'", outfile_name(out));
    return 0;
}

/* mkstemp makes files that only the owner may read; ours follow the umask. */
static void apply_umask(int fd)
{
    mode_t mask = umask(0);
    umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
}

static int open_temporary(struct outfile *out, struct err *err)
{
    size_t size = strlen(out->path) + sizeof ".tmp-XXXXXX";
    out->temporary = malloc(size);
    if (!out->temporary)
        return err_memory(err, "a file name");
    leftover_sweep(out->path);
    snprintf(out->temporary, size, "%s.tmp-XXXXXX", out->path);
    out->fd = mkstemp(out->temporary);
    if (out->fd < 0)
        return err_errno(err, STATUS_CREATE, "create '%s'", out->path);
    leftover_hold(out->fd);
    apply_umask(out->fd);
    out->slot = remember(out->temporary);
    return 0;
}

int outfile_open(struct outfile **result, const char *path, struct err *err)
{
    struct outfile *out = calloc(1, sizeof *out);
    if (out)
        *out = (struct outfile){.fd = -1, .slot = -1, .path = strdup(path), .waiting.size = 1};
    if (!out || !out->path) {
        free(out);
        return err_memory(err, "an output file");
    }
    bool in_place = strcmp(path, "-") == 0 || is_special(path);
    out->is_guarded = !is_special(path);
    if (out->is_guarded && guard_begin(path, err)) {
        release(out);
        return -1;
    }
    if (in_place ? open_in_place(out, err) : open_temporary(out, err)) {
        give_up(out);
        release(out);
        return -1;
    }
    *result = out;
    return 0;
}

static int write_waiting(struct outfile *out, struct err *err)
{
    size_t size = out->waiting.count;
    out->waiting.count = 0;
    return size ? outfile_write(out, out->waiting.items, size, err) : 0;
}

int outfile_write(struct outfile *out, const void *data, size_t size, struct err *err)
{
    if (write_waiting(out, err))
        return -1;
    if (io_write(out->fd, data, size))
        return err_errno(err, STATUS_IO, "write '%s'", outfile_name(out));
    return 0;
}

int outfile_put(struct outfile *out, const void *data, size_t size, struct err *err)
{
    if (size >= FLUSH_AT)
        return outfile_write(out, data, size, err);
    if (growing_add_all(&out->waiting, data, size, err))
        return -1;
    return out->waiting.count >= FLUSH_AT ? write_waiting(out, err) : 0;
}

int outfile_print(struct outfile *out, struct err *err, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof text)
        return err_set(err, STATUS_BUG, "write '%s': a text that is too long", outfile_name(out));
    return outfile_put(out, text, (size_t)length, err);
}

int outfile_put_name(struct outfile *out, const char *name, struct err *err)
{
    size_t room = TEXT_GROWTH * strlen(name) + 1;
    char *text = malloc(room);
    if (!text)
        return err_memory(err, "a name");
    size_t length = text_harmless(text, room, name);
    int result = outfile_put(out, text, length, err);
    free(text);
    return result;
}

int outfile_fd(const struct outfile *out)
{
    return out->fd;
}

const char *outfile_name(const struct outfile *out)
{
    return strcmp(out->path, "-") == 0 ? "standard output" : out->path;
}

static int close_and_name(struct outfile *out, struct err *err)
{
    int fd = out->fd;
    out->fd = -1;
    if (close(fd))
        return err_errno(err, STATUS_IO, "close '%s'", outfile_name(out));
    if (out->temporary && guard_check(out->path, err))
        return -1;
    if (out->temporary && rename(out->temporary, out->path))
        return err_errno(err, STATUS_CREATE, "create '%s'", out->path);
    return 0;
}

static int finish(struct outfile *out, struct err *err)
{
    if (write_waiting(out, err))
        return -1;
    if (out->temporary && fsync(out->fd))
        return err_errno(err, STATUS_IO, "write '%s'", outfile_name(out));
    int held = out->temporary ? dup(out->fd) : -1; /* the lock, until it has its name */
    int result = close_and_name(out, err);
    if (held >= 0)
        close(held);
    return result;
}

int outfile_commit(struct outfile *out, struct err *err)
{
    if (finish(out, err)) {
        outfile_abort(out);
        return -1;
    }
    int result = out->temporary ? guard_written(out->path, err) : 0;
    forget(out->slot);
    release(out);
    return result;
}

void outfile_abort(struct outfile *out)
{
    if (!out)
        return;
    if (out->fd >= 0)
        close(out->fd);
    if (out->temporary)
        unlink(out->temporary);
    give_up(out);
    forget(out->slot);
    release(out);
}
