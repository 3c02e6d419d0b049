/* A library to preload that makes the Nth call of one system function fail:
 *
 *     FAULT='write 3 28' LD_PRELOAD=.../inject.so tile img.tif > out.tar
 *
 * FAULT is "FUNCTION N ERRNO"; FUNCTION is read, write, pwrite, close, fsync, rename or
 * malloc (with calloc and realloc).  Calls on standard error are not counted.  When the
 * call was reached,
 * the file named by FAULT_REACHED is created, so that a test can tell a fault
 * that was survived from one that never happened. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int calls;

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static void note_reached(void)
{
    const char *path = getenv("FAULT_REACHED");
    int fd = path ? open(path, O_CREAT | O_WRONLY, 0600) : -1;
    if (fd >= 0) {
        int (*real_close)(int) = (int (*)(int))next("close");
        real_close(fd);
    }
}

static int is_due(const char *function, int fd)
{
    char name[16];
    int nth, number;
    const char *fault = getenv("FAULT");
    if (fd == STDERR_FILENO || !fault || sscanf(fault, "%15s %d %d", name, &nth, &number) != 3 ||
        strcmp(name, function) != 0 || atomic_fetch_add(&calls, 1) + 1 != nth)
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
