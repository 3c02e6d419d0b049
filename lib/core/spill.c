#include "core/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int spill_new(struct spill *spill, size_t bytes, struct err *err)
{
    return spill_new_above(spill, bytes, SPILL_LIMIT, err);
}

static int open_unlinked(char *path, size_t size, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, size, "%s/morphoseg-XXXXXX", folder && *folder ? folder : "/tmp");
    int fd = mkstemp(path);
    if (fd < 0)
        return err_errno(err, STATUS_CREATE, "create '%s'", path);
    unlink(path);
    return fd;
}

static int map_file(struct spill *spill, struct err *err)
{
    char path[4096];
    int fd = open_unlinked(path, sizeof path, err);
    if (fd < 0)
        return -1;
    int failed = posix_fallocate(fd, 0, (off_t)spill->bytes);
    if (!failed) {
        void *data = mmap(NULL, spill->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        spill->data = data == MAP_FAILED ? NULL : data;
        failed = errno;
    }
    close(fd);
    errno = failed;
    return spill->data ? 0
                       : err_errno(err, STATUS_IO, "reserve %zu bytes in '%s'", spill->bytes, path);
}

static int map_memory(struct spill *spill, struct err *err)
{
    void *data =
        mmap(NULL, spill->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    spill->data = data == MAP_FAILED ? NULL : data;
    return spill->data ? 0 : err_memory(err, "a large array");
}

int spill_new_above(struct spill *spill, size_t bytes, size_t limit, struct err *err)
{
    *spill = (struct spill){.bytes = bytes ? bytes : 1};
    return spill->bytes < limit ? map_memory(spill, err) : map_file(spill, err);
}

void spill_free(struct spill *spill)
{
    if (spill->data)
        munmap(spill->data, spill->bytes);
    *spill = (struct spill){0};
}
