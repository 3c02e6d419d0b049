#include "image/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPOOL_CHUNK ((size_t)1 << 18)

int image_temporary(struct err *err)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/image-XXXXXX", folder && *folder ? folder : "/tmp");
    int fd = mkstemp(path);
    if (fd < 0)
        return err_errno(err, STATUS_CREATE, "create '%s'", path);
    unlink(path);
    return fd;
}

static int write_all(int fd, const char *data, size_t size, struct err *err)
{
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_errno(err, STATUS_IO, "write a temporary file");
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int copy_all(int from, int to, const char *name, char *buffer, struct err *err)
{
    for (;;) {
        ssize_t n = read(from, buffer, SPOOL_CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, err_open_status(errno), "read '%s'", name);
        if (n == 0)
            return 0;
        if (write_all(to, buffer, (size_t)n, err))
            return -1;
    }
}

static int spool(struct image_source *source, struct err *err)
{
    int temporary = image_temporary(err);
    if (temporary < 0)
        return -1;
    char *buffer = malloc(SPOOL_CHUNK);
    int failed = buffer ? copy_all(source->fd, temporary, source->name, buffer, err)
                        : err_memory(err, "a copy of the input");
    free(buffer);
    close(source->fd);
    source->fd = temporary;
    return failed;
}

static int measure(struct image_source *source, struct err *err)
{
    source->size = lseek(source->fd, 0, SEEK_END);
    if (source->size < 0 || lseek(source->fd, 0, SEEK_SET) < 0)
        return err_errno(err, STATUS_IO, "read '%s'", source->name);
    return 0;
}

static int open_source(struct image_source *source, const char *path, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    source->name = strdup(standard ? "standard input" : path);
    if (!source->name)
        return err_memory(err, "a file name");
    source->fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0)
        return err_errno(err, err_open_status(errno), "open '%s'", source->name);
    struct stat st;
    if (fstat(source->fd, &st))
        return err_errno(err, STATUS_IO, "open '%s'", source->name);
    bool at_start = S_ISREG(st.st_mode) && lseek(source->fd, 0, SEEK_CUR) == 0;
    if (!at_start && spool(source, err))
        return -1;
    return measure(source, err);
}

int image_source_open(struct image_source *source, const char *path, struct err *err)
{
    *source = (struct image_source){.fd = -1};
    if (open_source(source, path, err)) {
        image_source_close(source);
        return -1;
    }
    return 0;
}

void image_source_close(struct image_source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    free(source->name);
    *source = (struct image_source){.fd = -1};
}

int image_source_read(const struct image_source *source, int64_t offset, void *to, size_t size,
                      struct err *err)
{
    char *p = to;
    while (size) {
        ssize_t n = pread(source->fd, p, size, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, err_open_status(errno), "read '%s'", source->name);
        if (n == 0)
            return err_set(err, STATUS_DATA, "read '%s': the file is cut", source->name);
        p += n;
        offset += n;
        size -= (size_t)n;
    }
    return 0;
}
