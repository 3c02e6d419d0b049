#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "weights/parts.h"

static int map_regular(struct weights *weights, int fd, size_t size, struct err *err)
{
    if (size == 0)
        return 0;
    void *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (mapping == MAP_FAILED)
        return err_errno(err, errno == ENOMEM ? STATUS_MEMORY : STATUS_IO, "map");
    weights->mapping = mapping;
    weights->mapping_size = size;
    return 0;
}

struct buffer {
    char *bytes;
    size_t size, capacity;
};

/* Reads once; 1 when there may be more, 0 at the end, -1 on error. */
static int read_some(int fd, struct buffer *buffer, struct err *err)
{
    if (buffer->size == buffer->capacity) {
        size_t capacity = buffer->capacity ? 2 * buffer->capacity : 1 << 20;
        char *larger = realloc(buffer->bytes, capacity);
        if (!larger)
            return err_memory(err, "the file");
        buffer->bytes = larger;
        buffer->capacity = capacity;
    }
    ssize_t n = read(fd, buffer->bytes + buffer->size, buffer->capacity - buffer->size);
    if (n < 0)
        return errno == EINTR ? 1 : err_errno(err, STATUS_IO, "read");
    buffer->size += (size_t)n;
    return n > 0;
}

static int map_copy(struct weights *weights, const struct buffer *buffer, struct err *err)
{
    if (buffer->size == 0)
        return 0;
    void *copy =
        mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return err_memory(err, "the file");
    weights->mapping = memcpy(copy, buffer->bytes, buffer->size);
    weights->mapping_size = buffer->size;
    return 0;
}

/* A pipe is copied into memory that looks like a mapping. */
static int map_pipe(struct weights *weights, int fd, struct err *err)
{
    struct buffer buffer = {0};
    int more;
    while ((more = read_some(fd, &buffer, err)) > 0)
        ;
    if (more == 0)
        more = map_copy(weights, &buffer, err);
    free(buffer.bytes);
    return more;
}

static int map_descriptor(struct weights *weights, int fd, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_errno(err, STATUS_IO, "stat");
    if (S_ISDIR(st.st_mode))
        return err_set(err, STATUS_NO_INPUT, "it is a folder");
    if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size <= SSIZE_MAX)
        return map_regular(weights, fd, (size_t)st.st_size, err);
    return map_pipe(weights, fd, err);
}

int weights_map(struct weights *weights, const char *path, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, err_open_status(errno), "open '%s'", path);
    int result = map_descriptor(weights, fd, err);
    if (!standard)
        close(fd);
    return result ? err_prefix(err, "read '%s'", path) : 0;
}

static void hash_bytes(const void *data, size_t size, char hex[65])
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    sha256_update(&context, size, data);
    sha256_digest(&context, sizeof digest, digest);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[64] = 0;
}

int weights_hash(struct weights *weights, const char *path, struct err *err)
{
    struct weights file = {0};
    bool standard = strcmp(path, "-") == 0;
    if (!standard && weights_map(&file, path, err))
        return -1;
    const struct weights *source = standard ? weights : &file;
    hash_bytes(source->mapping_size ? source->mapping : "", source->mapping_size, weights->sha256);
    weights_free(&file);
    return 0;
}

void weights_free(struct weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        free(weights->items[i].name);
        array_free(&weights->items[i].array);
    }
    for (size_t i = 0; i < weights->metadata_count; i++) {
        free(weights->metadata[i].key);
        free(weights->metadata[i].value);
    }
    free(weights->items);
    free(weights->metadata);
    if (weights->mapping)
        munmap(weights->mapping, weights->mapping_size);
    *weights = (struct weights){0};
}
