#include "core/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io.h"

#define PIECE  ((int64_t)16384)
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

static int hash_piece(struct sha256_ctx *context, int fd, int64_t at)
{
    uint8_t bytes[PIECE];
    ssize_t n = io_read_at(fd, bytes, sizeof bytes, (off_t)at);
    if (n > 0)
        sha256_update(context, (size_t)n, bytes);
    return n < 0 ? -1 : 0;
}

static int hash_file(struct sha256_ctx *context, int fd, int64_t size)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(size >> 8 * i);
    sha256_init(context);
    sha256_update(context, sizeof bytes, bytes);
    if (size <= PIECE * PIECES) {
        for (int64_t at = 0; at < size; at += PIECE)
            if (hash_piece(context, fd, at))
                return -1;
        return 0;
    }
    for (int64_t i = 0; i < PIECES; i++)
        if (hash_piece(context, fd, (size - PIECE) / (PIECES - 1) * i))
            return -1;
    return hash_piece(context, fd, size - PIECE);
}

int digest_identity(const char *path, char identity[DIGEST_IDENTITY], struct err *err)
{
    struct sha256_ctx context;
    struct stat st;
    char hex[DIGEST_HEX];
    bool standard = strcmp(path, "-") == 0;
    identity[0] = 0;
    if (standard ? fstat(STDIN_FILENO, &st) : stat(path, &st))
        return err_errno(err, err_open_status(errno), "open '%s'", io_input_name(path));
    if (!S_ISREG(st.st_mode))
        return 0;
    int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || hash_file(&context, fd, (int64_t)st.st_size);
    if (failed)
        err_errno(err, err_open_status(errno), "read '%s'", io_input_name(path));
    if (fd >= 0)
        close(fd);
    if (failed)
        return -1;
    digest_hex(&context, hex);
    memcpy(identity, hex, DIGEST_IDENTITY - 1);
    identity[DIGEST_IDENTITY - 1] = 0;
    return 0;
}
