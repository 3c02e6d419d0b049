#include "image/codec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io.h"

static int make_seekable(struct image_source *source, struct err *err)
{
    int fd = io_seekable_copy(source->fd, source->name, err);
    if (fd < 0)
        return -1;
    close(source->fd);
    source->fd = fd;
    return 0;
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
    source->name = strdup(io_input_name(path));
    if (!source->name)
        return err_memory(err, "a file name");
    source->fd = io_open(path);
    if (source->fd < 0)
        return err_errno(err, err_open_status(errno), "open '%s'", source->name);
    struct stat st;
    if (fstat(source->fd, &st))
        return err_errno(err, STATUS_IO, "open '%s'", source->name);
    if (S_ISDIR(st.st_mode))
        return err_set(err, STATUS_NO_INPUT, "read '%s': a folder; its images are '%s'/*",
                       source->name, source->name);
    bool at_start = S_ISREG(st.st_mode) && lseek(source->fd, 0, SEEK_CUR) == 0;
    if (!at_start && make_seekable(source, err))
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
    ssize_t n = io_read_at(source->fd, to, size, offset);
    if (n < 0)
        return err_errno(err, err_open_status(errno), "read '%s'", source->name);
    if ((size_t)n < size)
        return err_set(err, STATUS_DATA, "read '%s': the file is cut", source->name);
    return 0;
}
