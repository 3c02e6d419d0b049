#include "core/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/guard.h"

#define CHUNK ((size_t)1 << 18)

static size_t at_most(size_t size)
{
    return size < SSIZE_MAX ? size : SSIZE_MAX;
}

/* The input that io_reopenable has copied. */
static struct {
    int fd;
    char path[IO_PATH_SIZE];
    const char *name;
} copied = {.fd = -1};

const char *io_input_name(const char *path)
{
    if (copied.fd >= 0 && strcmp(path, copied.path) == 0)
        return copied.name;
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

int io_open(const char *path)
{
    char standard[IO_PATH_SIZE];
    bool is_standard = strcmp(path, "-") == 0;
    io_path(STDIN_FILENO, standard);
    if (guard_input(is_standard ? standard : path))
        return -1;
    return is_standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
}

ssize_t io_read(int fd, void *to, size_t size)
{
    ssize_t n;
    do
        n = read(fd, to, at_most(size));
    while (n < 0 && errno == EINTR);
    return n;
}

ssize_t io_read_at(int fd, void *to, size_t size, off_t offset)
{
    size_t done = 0;
    while (done < at_most(size)) {
        ssize_t n = pread(fd, (char *)to + done, at_most(size) - done, offset + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int io_write(int fd, const void *from, size_t size)
{
    const char *p = from;
    while (size) {
        ssize_t n = write(fd, p, at_most(size));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

int io_write_at(int fd, const void *from, size_t size, off_t offset)
{
    const char *p = from;
    while (size) {
        ssize_t n = pwrite(fd, p, at_most(size), offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        p += n;
        offset += n;
        size -= (size_t)n;
    }
    return 0;
}

/* ---- temporary files ---- */

static int open_unlinked(char *path, size_t size, const char *folder)
{
    if (snprintf(path, size, "%s/morphoseg-XXXXXX", folder) >= (int)size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkstemp(path);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int io_temporary(struct err *err)
{
    const char *wanted = getenv("TMPDIR");
    char path[4096];
    bool given = wanted && *wanted;
    int fd = open_unlinked(path, sizeof path, given ? wanted : "/var/tmp");
    if (fd < 0 && !given)
        fd = open_unlinked(path, sizeof path, "/tmp");
    return fd < 0 ? err_errno(err, STATUS_CREATE, "create '%s'", path) : fd;
}

static int copy(int from, int to, const char *name, char *buffer, struct err *err)
{
    ssize_t n;
    while ((n = io_read(from, buffer, CHUNK)) > 0)
        if (io_write(to, buffer, (size_t)n))
            return err_errno(err, STATUS_IO, "write a temporary file");
    return n < 0 ? err_errno(err, err_open_status(errno), "read '%s'", name) : 0;
}

int io_seekable_copy(int fd, const char *name, struct err *err)
{
    int temporary = io_temporary(err);
    if (temporary < 0)
        return -1;
    char *buffer = malloc(CHUNK);
    int failed = buffer ? copy(fd, temporary, name, buffer, err) : err_memory(err, name);
    free(buffer);
    if (!failed && lseek(temporary, 0, SEEK_SET) != 0)
        failed = err_errno(err, STATUS_IO, "read a temporary file");
    if (failed) {
        close(temporary);
        return -1;
    }
    return temporary;
}

/* Whether the input is a file at its begin; what is not there is the next opener's concern. */
static bool is_reopenable(const char *path)
{
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    if (standard ? fstat(STDIN_FILENO, &st) : stat(path, &st))
        return true;
    if (S_ISDIR(st.st_mode))
        return true;
    return S_ISREG(st.st_mode) && (!standard || lseek(STDIN_FILENO, 0, SEEK_CUR) == 0);
}

const char *io_reopenable(const char *path, struct err *err)
{
    if (is_reopenable(path))
        return path;
    const char *name = io_input_name(path);
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err_errno(err, err_open_status(errno), "open '%s'", name);
        return NULL;
    }
    if (copied.fd >= 0)
        close(copied.fd);
    copied.fd = io_seekable_copy(fd, name, err);
    if (!standard)
        close(fd);
    if (copied.fd < 0)
        return NULL;
    io_path(copied.fd, copied.path);
    copied.name = name;
    return copied.path;
}

void io_path(int fd, char path[IO_PATH_SIZE])
{
    snprintf(path, IO_PATH_SIZE, "/dev/fd/%d", fd);
}
