#include "core/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct lock {
    int fd;
    char *path;
};

int lock_file(int fd)
{
    int result;
    while ((result = flock(fd, LOCK_EX | LOCK_NB)) && errno == EINTR)
        ;
    return result && errno == EWOULDBLOCK;
}

/* Whether the name still is that file: who let go before may have removed it. */
static bool is_named(int fd, const char *path, struct stat *st)
{
    struct stat there;
    return fstat(fd, st) == 0 && lstat(path, &there) == 0 && st->st_dev == there.st_dev &&
           st->st_ino == there.st_ino;
}

static int take(struct lock *l, const char *what, struct err *err)
{
    struct stat st;
    do {
        if (l->fd >= 0)
            close(l->fd);
        l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        if (l->fd < 0)
            return err_errno(err, STATUS_CREATE, "lock '%s'", l->path);
        if (lock_file(l->fd))
            return err_set(err, STATUS_CREATE, "lock '%s': another process %s", l->path, what);
    } while (!is_named(l->fd, l->path, &st));
    if (!S_ISREG(st.st_mode) || st.st_size > 0)
        return err_set(err, STATUS_CREATE, "lock '%s': a file that is no lock is there", l->path);
    return 0;
}

static void release(struct lock *l)
{
    if (l->fd >= 0)
        close(l->fd);
    free(l->path);
    free(l);
}

int lock_take(struct lock **lock, const char *path, const char *what, struct err *err)
{
    struct lock *l = malloc(sizeof *l);
    if (l)
        *l = (struct lock){-1, strdup(path)};
    if (!l || !l->path) {
        free(l);
        return err_memory(err, "a lock");
    }
    if (take(l, what, err)) {
        release(l);
        return -1;
    }
    *lock = l;
    return 0;
}

void lock_free(struct lock *lock)
{
    if (!lock)
        return;
    unlink(lock->path); /* while it is held, so that nobody else's is removed */
    release(lock);
}
