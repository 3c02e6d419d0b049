/* lib/core/io and lib/core/filemap: descriptors and whole files. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/filemap.h"
#include "core/io.h"
#include "tests/tap.h"

#define LARGE ((size_t)3 << 20)

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 2654435761u >> 13);
}

static unsigned char *new_bytes(void)
{
    unsigned char *bytes = malloc(LARGE);
    for (size_t i = 0; bytes && i < LARGE; i++)
        bytes[i] = pattern(i);
    return bytes;
}

/* Writes all bytes into a pipe, which holds 64 KB at a time. */
static void *feed(void *fd)
{
    unsigned char *bytes = new_bytes();
    static int failed;
    failed = !bytes || io_write(*(int *)fd, bytes, LARGE);
    free(bytes);
    close(*(int *)fd);
    return &failed;
}

static bool is_pattern(int fd)
{
    unsigned char *bytes = calloc(LARGE + 1, 1);
    bool same = bytes && io_read_at(fd, bytes, LARGE + 1, 0) == (ssize_t)LARGE;
    for (size_t i = 0; same && i < LARGE; i++)
        same = bytes[i] == pattern(i);
    free(bytes);
    return same;
}

static void test_pipes(void)
{
    struct err err;
    pthread_t thread;
    int ends[2];
    void *failed;
    if (pipe(ends) || pthread_create(&thread, NULL, feed, &ends[1]))
        exit(1);
    int fd = io_seekable_copy(ends[0], "a pipe", &err);
    pthread_join(thread, &failed);
    ok(fd >= 0 && !*(int *)failed, "a pipe is copied into a file");
    ok(is_pattern(fd), "which has its bytes");
    ok(lseek(fd, 0, SEEK_CUR) == 0, "at its begin");
    struct stat st;
    ok(fstat(fd, &st) == 0 && st.st_nlink == 0, "and no name");
    close(fd);
    close(ends[0]);
    ok(io_seekable_copy(-1, "a pipe", &err) == -1 && err.status == STATUS_IO,
       "a closed one is not");
    ok(strncmp(err.message, "read 'a pipe': ", 15) == 0, "and named");
}

static void test_places(void)
{
    struct err err;
    int fd = io_temporary(&err);
    char path[IO_PATH_SIZE];
    unsigned char got[8] = {0};
    ok(io_write_at(fd, "abcdef", 6, 2) == 0, "bytes at a place");
    is_int(io_read_at(fd, got, sizeof got, 1), 7, "as many as there are");
    ok(memcmp(got, "\0abcdef", 7) == 0, "from a place");
    is_int(io_read_at(fd, got, sizeof got, 8), 0, "none at the end");
    io_path(fd, path);
    int again = open(path, O_RDONLY);
    ok(again >= 0 && io_read(again, got, 8) == 8 && got[2] == 'a', "a path that opens it anew");
    close(again);
    close(fd);
    ok(io_read(-1, got, 1) == -1 && errno == EBADF && io_write(-1, got, 1) == -1,
       "a closed descriptor");
}

static void test_maps(void)
{
    struct err err;
    struct filemap map;
    char path[IO_PATH_SIZE];
    int fd = io_temporary(&err);
    io_path(fd, path);
    ok(filemap_open(&map, path, &err) == 0 && !map.data && map.size == 0, "an empty file");
    filemap_close(&map);
    ok(io_write(fd, "weights", 7) == 0 && filemap_open(&map, path, &err) == 0 && map.size == 7,
       "a file");
    ((char *)map.data)[0] = 'W';
    char first;
    ok(io_read_at(fd, &first, 1, 0) == 1 && first == 'w', "is not written to");
    filemap_close(&map);
    ok(!map.data, "closed");
    filemap_close(&map);
    close(fd);
    ok(filemap_open(&map, "/", &err) == -1 && err.status == STATUS_NO_INPUT, "a folder");
    ok(filemap_open(&map, "/nonexistent", &err) == -1 && err.status == STATUS_NO_INPUT, "no file");
}

static void test_mapped_pipe(void)
{
    struct err err;
    struct filemap map;
    pthread_t thread;
    int ends[2], input = dup(STDIN_FILENO);
    if (pipe(ends) || dup2(ends[0], STDIN_FILENO) < 0 ||
        pthread_create(&thread, NULL, feed, &ends[1]))
        exit(1);
    bool same = filemap_open(&map, "-", &err) == 0 && map.size == LARGE;
    for (size_t i = 0; same && i < LARGE; i++)
        same = ((unsigned char *)map.data)[i] == pattern(i);
    ok(same, "standard input, a pipe");
    pthread_join(thread, NULL);
    filemap_close(&map);
    close(ends[0]);
    dup2(input, STDIN_FILENO);
    close(input);
}

int main(void)
{
    tap_plan(19);
    test_pipes();
    test_places();
    test_maps();
    test_mapped_pipe();
    return tap_done();
}
