/* A zip's records as parts, inflated; put together anew with what both headers and the
 * directory say of them. */
#ifndef TESTS_FUZZ_ZIP_H
#define TESTS_FUZZ_ZIP_H

#include <zlib.h>

#include "tests/fuzz/parts.h"

#define ZIP_LOCAL 30 /* bytes of a local header without the name */

static inline bool zip_inflate_part(struct parts *parts, const uint8_t *name, size_t name_size,
                                    const uint8_t *data, size_t size)
{
    static uint8_t inflated[PARTS_ROOM / 4];
    z_stream z = {.next_in = (uint8_t *)data,
                  .avail_in = (uInt)size,
                  .next_out = inflated,
                  .avail_out = sizeof inflated};
    if (inflateInit2(&z, -15) != Z_OK)
        return false;
    int result = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    if (result != Z_STREAM_END)
        return false;
    if (parts_add(parts, name, name_size, inflated, z.total_out))
        parts->part[parts->count - 1].deflated = true;
    return true;
}

static inline void zip_take(struct parts *parts, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + ZIP_LOCAL <= size; at++) {
        if (memcmp(bytes + at, "PK\3\4", 4) != 0)
            continue;
        size_t name = at + ZIP_LOCAL, name_size = (size_t)parts_number(bytes + at + 26, 2);
        size_t begin = name + name_size + (size_t)parts_number(bytes + at + 28, 2);
        size_t stored = (size_t)parts_number(bytes + at + 18, 4);
        if (begin > size || name_size > PARTS_HEAD)
            continue;
        if (stored > size - begin)
            stored = size - begin;
        if (bytes[at + 8] != 8 ||
            !zip_inflate_part(parts, bytes + name, name_size, bytes + begin, stored))
            (void)parts_add(parts, bytes + name, name_size, bytes + begin, stored);
        at = begin + stored - 1;
    }
}

/* What is written of a part: itself, or deflated. */
static inline const uint8_t *zip_stored(const struct part *part, size_t *size)
{
    static uint8_t deflated[PARTS_ROOM + 1024];
    z_stream z = {.next_in = part->data,
                  .avail_in = (uInt)part->size,
                  .next_out = deflated,
                  .avail_out = sizeof deflated};
    *size = part->size;
    if (!part->deflated)
        return part->data;
    if (deflateInit2(&z, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    *size = z.total_out;
    deflateEnd(&z);
    return deflated;
}

static inline void zip_put_common(struct parts_out *out, const struct part *part, size_t stored)
{
    parts_put_number(out, 20, 2);
    parts_put_number(out, 0, 2);
    parts_put_number(out, part->deflated ? 8 : 0, 2);
    parts_put_number(out, 0, 4);
    parts_put_number(out, crc32(0, part->data, (uInt)part->size), 4);
    parts_put_number(out, stored, 4);
    parts_put_number(out, part->size, 4);
    parts_put_number(out, part->head_size, 2);
    parts_put_number(out, 0, 2);
}

static inline void zip_put_parts(struct parts *parts, struct parts_out *out)
{
    size_t begin[PARTS_MAX], stored[PARTS_MAX];
    for (int i = 0; i < parts->count; i++) {
        struct part *part = &parts->part[i];
        const uint8_t *data = zip_stored(part, &stored[i]);
        begin[i] = out->size;
        parts_put(out, "PK\3\4", 4);
        zip_put_common(out, part, stored[i]);
        parts_put(out, part->head, part->head_size);
        parts_put(out, data, stored[i]);
    }
    size_t directory = out->size;
    for (int i = 0; i < parts->count; i++) {
        parts_put(out, "PK\1\2\24", 6);
        zip_put_common(out, &parts->part[i], stored[i]);
        parts_put_number(out, 0, 10);
        parts_put_number(out, begin[i], 4);
        parts_put(out, parts->part[i].head, parts->part[i].head_size);
    }
    size_t end = out->size;
    parts_put(out, "PK\5\6\0\0\0", 8);
    parts_put_number(out, (uint64_t)parts->count, 2);
    parts_put_number(out, (uint64_t)parts->count, 2);
    parts_put_number(out, end - directory, 4);
    parts_put_number(out, directory, 4);
    parts_put_number(out, 0, 2);
}

static const struct parts_kind zip_kind = {zip_take, zip_put_parts};

#endif
