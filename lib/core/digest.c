#include "core/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io.h"

#define PIECE  ((int64_t)4096)
#define PIECES 64

void digest_hex(const struct sha256_ctx *context, char hex[DIGEST_HEX])
{
    struct sha256_ctx copy = *context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&copy, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void digest_bytes(const void *data, size_t size, char hex[DIGEST_HEX])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, size, data);
    digest_hex(&context, hex);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

uint64_t digest_fast(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *p = data;
    uint64_t word;
    for (; size >= sizeof word; p += sizeof word, size -= sizeof word) {
        memcpy(&word, p, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, p, size);
    return size ? mix(hash, word) : hash;
}

static int hash_piece(uint64_t *hash, int fd, int64_t at)
{
    uint8_t bytes[PIECE];
    ssize_t n = io_read_at(fd, bytes, sizeof bytes, (off_t)at);
    if (n > 0)
        *hash = digest_fast(*hash, bytes, (size_t)n);
    return n < 0 ? -1 : 0;
}

static int hash_file(uint64_t *hash, int fd, int64_t size)
{
    *hash = digest_fast(0x9e3779b97f4a7c15u, &size, sizeof size);
    if (size <= PIECE * PIECES) {
        for (int64_t at = 0; at < size; at += PIECE)
            if (hash_piece(hash, fd, at))
                return -1;
        return 0;
    }
    for (int64_t i = 0; i < PIECES; i++)
        if (hash_piece(hash, fd, (size - PIECE) / (PIECES - 1) * i))
            return -1;
    return hash_piece(hash, fd, size - PIECE);
}

int digest_identity(const char *path, char identity[DIGEST_IDENTITY], struct err *err)
{
    uint64_t hash;
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    identity[0] = 0;
    if (standard ? fstat(STDIN_FILENO, &st) : stat(path, &st))
        return err_errno(err, err_open_status(errno), "open '%s'", io_input_name(path));
    if (!S_ISREG(st.st_mode))
        return 0;
    int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || hash_file(&hash, fd, (int64_t)st.st_size);
    if (failed)
        err_errno(err, err_open_status(errno), "read '%s'", io_input_name(path));
    if (fd >= 0)
        close(fd);
    if (failed)
        return -1;
    snprintf(identity, DIGEST_IDENTITY, "%016" PRIx64, hash);
    return 0;
}
