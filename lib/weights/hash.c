#include <stdio.h>
#include <string.h>

#include <nettle/sha2.h>

#include "weights/weights.h"

static void hash_bytes(const void *data, size_t size, char hex[65])
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    sha256_update(&context, size, data);
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int weights_hash(struct weights *weights, const char *path, struct err *err)
{
    struct filemap file = {0};
    bool standard = strcmp(path, "-") == 0;
    if (!standard && filemap_open(&file, path, err))
        return -1;
    const struct filemap *source = standard ? &weights->file : &file;
    hash_bytes(source->size ? source->data : "", source->size, weights->sha256);
    filemap_close(&file);
    return 0;
}
