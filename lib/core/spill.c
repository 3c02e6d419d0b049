#include "core/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/io.h"

#define MAPPED ((size_t)1 << 20) /* bytes from which memory is mapped */

int spill_new(struct spill *spill, size_t bytes, struct err *err)
{
    return spill_new_above(spill, bytes, SPILL_LIMIT, err);
}

static int map(struct spill *spill, int flags, struct err *err)
{
    void *data = mmap(NULL, spill->bytes, PROT_READ | PROT_WRITE, flags, spill->fd, 0);
    spill->mapped = data != MAP_FAILED;
    spill->data = spill->mapped ? data : NULL;
    return spill->data ? 0 : err_memory(err, "a large array");
}

static int map_file(struct spill *spill, struct err *err)
{
    spill->fd = io_temporary(err);
    if (spill->fd < 0)
        return -1;
    if (ftruncate(spill->fd, (off_t)spill->bytes))
        return err_errno(err, STATUS_IO, "reserve %zu bytes in a temporary file", spill->bytes);
    return map(spill, MAP_SHARED, err);
}

static int allocate(struct spill *spill, struct err *err)
{
    spill->reserved = spill->bytes;
    spill->data = calloc(spill->bytes, 1);
    return spill->data ? 0 : err_memory(err, "an array");
}

static int map_memory(struct spill *spill, struct err *err)
{
    if (map(spill, MAP_PRIVATE | MAP_ANONYMOUS, err))
        return -1;
    madvise(spill->data, spill->bytes, MADV_HUGEPAGE);
    spill->reserved = spill->bytes;
    return 0;
}

int spill_new_claimed(struct spill *spill, size_t bytes, size_t limit, struct err *err)
{
    *spill = (struct spill){.bytes = bytes ? bytes : 1, .fd = -1};
    int rc = spill->bytes >= limit    ? map_file(spill, err)
             : spill->bytes >= MAPPED ? map_memory(spill, err)
                                      : allocate(spill, err);
    if (rc)
        spill_free(spill);
    return rc;
}

int spill_reserve(struct spill *spill, size_t bytes, struct err *err)
{
    bytes = bytes < spill->bytes ? bytes : spill->bytes;
    if (bytes <= spill->reserved)
        return 0;
    int failed =
        posix_fallocate(spill->fd, (off_t)spill->reserved, (off_t)(bytes - spill->reserved));
    if (failed) {
        errno = failed;
        return err_errno(err, STATUS_IO, "reserve %zu bytes for a large array", bytes);
    }
    spill->reserved = bytes;
    return 0;
}

int spill_new_above(struct spill *spill, size_t bytes, size_t limit, struct err *err)
{
    if (spill_new_claimed(spill, bytes, limit, err))
        return -1;
    if (spill_reserve(spill, spill->bytes, err)) {
        spill_free(spill);
        return -1;
    }
    return 0;
}

void spill_free(struct spill *spill)
{
    if (!spill->mapped)
        free(spill->data);
    else
        munmap(spill->data, spill->bytes);
    if (spill->bytes && spill->fd >= 0)
        close(spill->fd);
    *spill = (struct spill){0};
}
