#include "core/filemap.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io.h"

#define FIRST_ROOM ((size_t)1 << 20)

static int map_regular(struct filemap *map, int fd, size_t size, struct err *err)
{
    if (size == 0)
        return 0;
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return err_errno(err, errno == ENOMEM ? STATUS_MEMORY : STATUS_IO, "map");
    *map = (struct filemap){data, size, true};
    return 0;
}

static int read_all(struct filemap *map, int fd, struct err *err)
{
    size_t room = 0;
    for (;;) {
        if (map->size == room) {
            room = room ? 2 * room : FIRST_ROOM;
            void *larger = realloc(map->data, room);
            if (!larger)
                return err_memory(err, "the file");
            map->data = larger;
        }
        ssize_t n = io_read(fd, (char *)map->data + map->size, room - map->size);
        if (n < 0)
            return err_errno(err, err_open_status(errno), "read");
        if (n == 0)
            return 0;
        map->size += (size_t)n;
    }
}

static int load(struct filemap *map, int fd, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_errno(err, STATUS_IO, "stat");
    if (S_ISDIR(st.st_mode))
        return err_set(err, STATUS_NO_INPUT, "it is a folder");
    bool whole = S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
    if (whole && (uintmax_t)st.st_size <= SSIZE_MAX)
        return map_regular(map, fd, (size_t)st.st_size, err);
    return read_all(map, fd, err);
}

int filemap_read(struct filemap *map, int fd, struct err *err)
{
    *map = (struct filemap){0};
    if (load(map, fd, err) == 0)
        return 0;
    filemap_close(map);
    return -1;
}

int filemap_open(struct filemap *map, const char *path, struct err *err)
{
    int fd = io_open(path);
    *map = (struct filemap){0};
    if (fd < 0)
        return err_errno(err, err_open_status(errno), "open '%s'", io_input_name(path));
    int failed = filemap_read(map, fd, err);
    close(fd);
    return failed ? err_prefix(err, "read '%s'", io_input_name(path)) : 0;
}

void filemap_close(struct filemap *map)
{
    if (map->mapped)
        munmap(map->data, map->size);
    else
        free(map->data);
    *map = (struct filemap){0};
}
