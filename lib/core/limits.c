#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

struct limits limits;

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What the control group has, version 2 or 1; UINT64_MAX when it says nothing. */
static uint64_t group_memory(void)
{
    static const char *const paths[] = {"/sys/fs/cgroup/memory.max",
                                        "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    uint64_t bytes, all = UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(paths[i], "re");
        if (file && fscanf(file, "%" SCNu64, &bytes) == 1) /* else "max" */
            all = least(all, bytes);
        if (file)
            fclose(file);
    }
    return all;
}

uint64_t limits_memory(void)
{
    static uint64_t half;
    if (half)
        return half;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t bytes = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : (uint64_t)1 << 32;
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
        bytes = least(bytes, (uint64_t)space.rlim_cur);
    half = least(bytes, group_memory()) / 2;
    return half;
}

/* The largest image: limits.max_pixels, else as many pixels as limits_memory has bytes. */
static uint64_t limits_pixels(void)
{
    return limits.max_pixels > 0 ? (uint64_t)limits.max_pixels : limits_memory();
}

int limits_check_pixels(int64_t width, int64_t height, struct err *err)
{
    uint64_t most = limits_pixels();
    if (width < 1 || height < 1)
        return err_set(err, STATUS_DATA, "%" PRId64 " x %" PRId64 " pixels are no image", width,
                       height);
    if ((uint64_t)height <= most / (uint64_t)width)
        return 0;
    return err_set(err, STATUS_DATA,
                   "%" PRId64 " x %" PRId64 " pixels are more than %" PRIu64
                   ", the limit (--max-pixels)",
                   width, height, most);
}

int limits_check_memory(uint64_t bytes, const char *what, struct err *err)
{
    if (bytes <= limits_memory())
        return 0;
    return err_set(err, STATUS_DATA,
                   "%s needs %" PRIu64 " bytes of memory, more than %" PRIu64 ", the limit here",
                   what, bytes, limits_memory());
}

int limits_check_file(const char *path, int64_t width, int64_t height, size_t bytes,
                      struct err *err)
{
    if (limits_check_pixels(width, height, err) ||
        limits_check_memory((uint64_t)width * (uint64_t)height * bytes, "all of it", err))
        return err_prefix(err, "read '%s'", path);
    return 0;
}
