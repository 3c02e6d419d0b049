/* A library to preload that makes the Nth call of one system function fail:
 *
 *     FAULT='write 3 28' LD_PRELOAD=.../inject.so tile img.tif > out.tar
 *
 * FAULT is "FUNCTION N ERRNO", with "+" after it when all calls from the Nth on fail; FUNCTION
 * is read, write, pwrite, close, fsync, rename, open, mmap or malloc (with calloc and realloc).
 * Calls on standard error are not counted.  When the call was reached, the file named by
 * FAULT_REACHED is created, so that a test can tell a fault
 * that was survived from one that never happened. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/preload.h"

static atomic_int calls;

static void note_reached(void)
{
    const char *path = getenv("FAULT_REACHED");
    int fd = path ? open_unseen(AT_FDCWD, path, O_CREAT | O_WRONLY) : -1;
    if (fd >= 0) {
        int (*real_close)(int) = (int (*)(int))next("close");
        real_close(fd);
    }
}

static int is_due(const char *function, int fd)
{
    char name[16], plus = ' ';
    int nth, number;
    const char *fault = getenv("FAULT");
    if (fd == STDERR_FILENO || !fault ||
        sscanf(fault, "%15s %d %d%c", name, &nth, &number, &plus) < 3 ||
        strcmp(name, function) != 0)
        return 0;
    int call = atomic_fetch_add(&calls, 1) + 1;
    if (call != nth && !(plus == '+' && call > nth))
        return 0;
    note_reached();
    errno = number;
    return 1;
}

ssize_t read(int fd, void *to, size_t size)
{
    ssize_t (*real)(int, void *, size_t) = (ssize_t(*)(int, void *, size_t))next("read");
    return is_due("read", fd) ? -1 : real(fd, to, size);
}

ssize_t write(int fd, const void *from, size_t size)
{
    ssize_t (*real)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))next("write");
    return is_due("write", fd) ? -1 : real(fd, from, size);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t) =
        (ssize_t(*)(int, const void *, size_t, off_t))next("pwrite");
    return is_due("pwrite", fd) ? -1 : real(fd, from, size, at);
}

int close(int fd)
{
    int (*real)(int) = (int (*)(int))next("close");
    if (is_due("close", fd)) {
        int number = errno;
        real(fd);
        errno = number;
        return -1;
    }
    return real(fd);
}

int fsync(int fd)
{
    int (*real)(int) = (int (*)(int))next("fsync");
    return is_due("fsync", fd) ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))next("rename");
    return is_due("rename", -1) ? -1 : real(from, to);
}

static int before_open(const char *path, int flags)
{
    (void)path;
    (void)flags;
    return is_due("open", -1);
}

int mkstemp(char *path)
{
    int (*real)(char *) = (int (*)(char *))next("mkstemp");
    return is_due("open", -1) ? -1 : real(path);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *(*real)(void *, size_t, int, int, int, off_t) =
        (void *(*)(void *, size_t, int, int, int, off_t))next("mmap");
    return is_due("mmap", -1) ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}

/* What dlsym needs of these it gets from the C library itself. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return is_due("malloc", -1) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_due("malloc", -1) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return is_due("malloc", -1) ? NULL : __libc_realloc(old, size);
}
