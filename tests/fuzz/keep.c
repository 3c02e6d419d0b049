/* A library to preload that keeps a copy of each small file before it is removed or made anew,
 * in the folder $KEEP: what tests make is what fuzzers start from. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/preload.h"

#define MAX_KEPT 20000 /* bytes */

/* Named by its bytes, so that each is kept once. */
static void put(const char *bytes, size_t size)
{
    char path[4096];
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 1099511628211u;
    snprintf(path, sizeof path, "%s/%016" PRIx64, getenv("KEEP"), hash);
    int fd = open_unseen(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0)
        return;
    if (write(fd, bytes, size) != (ssize_t)size)
        perror(path);
    close(fd);
}

static void keep(int folder, const char *path)
{
    static __thread char bytes[MAX_KEPT + 1];
    if (!getenv("KEEP"))
        return;
    int fd = open_unseen(folder, path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return;
    ssize_t size = read(fd, bytes, sizeof bytes);
    close(fd);
    if (size > 0 && size <= MAX_KEPT)
        put(bytes, (size_t)size);
}

int unlink(const char *path)
{
    keep(AT_FDCWD, path);
    return ((int (*)(const char *))next("unlink"))(path);
}

int remove(const char *path)
{
    keep(AT_FDCWD, path);
    return ((int (*)(const char *))next("remove"))(path);
}

int unlinkat(int folder, const char *path, int flags)
{
    keep(folder, path);
    return ((int (*)(int, const char *, int))next("unlinkat"))(folder, path, flags);
}

static FILE *open_stream(const char *name, const char *path, const char *mode)
{
    if (mode[0] == 'w')
        keep(AT_FDCWD, path);
    return ((FILE * (*)(const char *, const char *)) next(name))(path, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    return open_stream("fopen", path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    return open_stream("fopen64", path, mode);
}

static int before_open(const char *path, int flags)
{
    if (flags & O_TRUNC)
        keep(AT_FDCWD, path);
    return 0;
}
