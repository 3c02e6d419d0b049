#include "stream/spool.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/num.h"

/* What precedes a sample's pixels in the file. */
struct record {
    uint32_t image_dtype, mask_dtype;
    uint64_t height, width, channels;
    double offset, gain;
    uint64_t key_size; /* with its zero */
};

struct spool {
    int fd;
    uint64_t end;
    uint64_t *offsets;
    size_t count, capacity;
    struct sha256_ctx hash;
};

static int open_unlinked(struct err *err)
{
    const char *folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[4096];
        if (!folders[i] ||
            snprintf(path, sizeof path, "%s/spool-XXXXXX", folders[i]) >= (int)sizeof path)
            continue;
        int fd = mkstemp(path);
        if (fd >= 0) {
            unlink(path);
            return fd;
        }
    }
    return err_errno(err, STATUS_CREATE, "create a temporary file");
}

int spool_new(struct spool **spool, struct err *err)
{
    struct spool *s = calloc(1, sizeof *s);
    if (!s)
        return err_memory(err, "a spool");
    s->fd = open_unlinked(err);
    if (s->fd < 0) {
        free(s);
        return -1;
    }
    sha256_init(&s->hash);
    *spool = s;
    return 0;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    close(spool->fd);
    free(spool->offsets);
    free(spool);
}

static int append(struct spool *spool, const void *data, size_t size, struct err *err)
{
    const char *from = data;
    sha256_update(&spool->hash, size, data);
    while (size > 0) {
        ssize_t n = pwrite(spool->fd, from, size, (off_t)spool->end);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_errno(err, STATUS_IO, "write the temporary file");
        from += n;
        size -= (size_t)n;
        spool->end += (uint64_t)n;
    }
    return 0;
}

static int reserve(struct spool *spool, struct err *err)
{
    if (spool->count < spool->capacity)
        return 0;
    size_t capacity = spool->capacity ? 2 * spool->capacity : 256;
    uint64_t *grown = realloc(spool->offsets, capacity * sizeof *grown);
    if (!grown)
        return err_memory(err, "an index of samples");
    spool->offsets = grown;
    spool->capacity = capacity;
    return 0;
}

static int find_scale(const struct sample *sample, const struct array *image, struct record *record,
                      struct err *err)
{
    struct tile_meta meta;
    if (sample_get_meta(sample, &meta, err) < 0)
        return -1;
    record->offset = meta.normalise_offset;
    record->gain = meta.normalise_gain;
    if (meta.normalise_gain == 0) {
        record->offset = 0;
        record->gain = image->dtype == DTYPE_U8    ? 1 / 255.
                       : image->dtype == DTYPE_U16 ? 1 / 65535.
                                                   : 1;
    }
    return 0;
}

static int add(struct spool *spool, const struct sample *sample, struct err *err)
{
    struct array *image = sample_require(sample, "image", err);
    struct array *mask = image ? sample_require(sample, "mask", err) : NULL;
    if (!mask)
        return -1;
    if (mask->shape[0] != image->shape[0] || mask->shape[1] != image->shape[1] ||
        array_count(image) == 0)
        return err_set(err, STATUS_DATA, "image and mask differ in size");
    struct record record = {.image_dtype = (uint32_t)image->dtype,
                            .mask_dtype = (uint32_t)mask->dtype,
                            .height = image->shape[0],
                            .width = image->shape[1],
                            .channels = image->shape[2],
                            .key_size = strlen(sample->key) + 1};
    if (find_scale(sample, image, &record, err) || reserve(spool, err))
        return -1;
    uint64_t start = spool->end;
    if (append(spool, &record, sizeof record, err) ||
        append(spool, sample->key, record.key_size, err) ||
        append(spool, image->data, array_bytes(image), err) ||
        append(spool, mask->data, array_bytes(mask), err))
        return -1;
    spool->offsets[spool->count++] = start;
    return 0;
}

int spool_add(struct spool *spool, const struct sample *sample, struct err *err)
{
    if (add(spool, sample, err))
        return err_prefix(err, "sample '%s'", sample->key);
    return 0;
}

size_t spool_count(const struct spool *spool)
{
    return spool->count;
}

static int read_at(const struct spool *spool, void *data, size_t size, uint64_t offset,
                   struct err *err)
{
    char *to = data;
    while (size > 0) {
        ssize_t n = pread(spool->fd, to, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, STATUS_IO, "read the temporary file");
        if (n == 0)
            return err_set(err, STATUS_IO, "read the temporary file: it is cut");
        to += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static int make_room(struct spooled *to, size_t size, struct err *err)
{
    if (size <= to->capacity)
        return 0;
    free(to->buffer);
    to->capacity = 0;
    to->buffer = malloc(size);
    if (!to->buffer)
        return err_memory(err, "a sample");
    to->capacity = size;
    return 0;
}

int spool_read(const struct spool *spool, size_t i, struct spooled *to, struct err *err)
{
    struct record r;
    uint64_t at = spool->offsets[i];
    if (read_at(spool, &r, sizeof r, at, err))
        return -1;
    at += sizeof r;
    size_t image_shape[] = {r.height, r.width, r.channels};
    struct array image = array_view((enum dtype)r.image_dtype, 3, image_shape, NULL);
    struct array mask = array_view((enum dtype)r.mask_dtype, 2, image_shape, NULL);
    size_t image_room = (array_bytes(&image) + 63) / 64 * 64;
    if (make_room(to, image_room + array_bytes(&mask), err))
        return -1;
    size_t key_size = r.key_size < sizeof to->key ? r.key_size : sizeof to->key;
    if (read_at(spool, to->key, key_size, at, err) ||
        read_at(spool, to->buffer, array_bytes(&image), at + r.key_size, err) ||
        read_at(spool, (char *)to->buffer + image_room, array_bytes(&mask),
                at + r.key_size + array_bytes(&image), err))
        return -1;
    to->key[key_size - 1] = '\0';
    image.data = to->buffer;
    mask.data = (char *)to->buffer + image_room;
    to->image = image;
    to->mask = mask;
    to->offset = r.offset;
    to->gain = r.gain;
    return 0;
}

void spooled_free(struct spooled *spooled)
{
    free(spooled->buffer);
    *spooled = (struct spooled){0};
}

void spool_digest(const struct spool *spool, char digest[65])
{
    struct sha256_ctx hash = spool->hash;
    uint8_t bytes[SHA256_DIGEST_SIZE];
    sha256_digest(&hash, sizeof bytes, bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(digest + 2 * i, 3, "%02x", bytes[i]);
}
