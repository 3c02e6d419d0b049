/* Files that are made of parts (the members of a tar, the records of a zip, the chunks of a
 * PNG), taken apart, changed in one part, and put together with sums and lengths that are
 * right: what a fuzzer changes gets past the first look. */
#ifndef TESTS_PARTS_H
#define TESTS_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX  64
#define PARTS_HEAD 512
#define PARTS_ROOM ((size_t)1 << 17)

/* libFuzzer's, or that of replay.c. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

struct part {
    uint8_t head[PARTS_HEAD]; /* what stands before the data, without sums */
    size_t head_size;
    uint8_t *data; /* in the room of its file */
    size_t size;
    bool deflated; /* in the file, not here */
};

struct parts {
    struct part part[PARTS_MAX];
    int count;
    uint8_t room[2 * PARTS_ROOM];
    size_t used;
};

/* The data are copied, and may grow to twice their size and 256 bytes; false when there is no
 * room. */
static inline bool parts_add(struct parts *parts, const void *head, size_t head_size,
                             const uint8_t *data, size_t size)
{
    size_t room = 2 * size + 256;
    if (parts->count == PARTS_MAX || head_size > PARTS_HEAD ||
        parts->used + room > sizeof parts->room)
        return false;
    struct part *part = &parts->part[parts->count++];
    memcpy(part->head, head, head_size);
    part->head_size = head_size;
    part->data = parts->room + parts->used;
    part->size = size;
    part->deflated = false;
    if (size)
        memcpy(part->data, data, size);
    parts->used += room;
    return true;
}

static inline void parts_remove(struct parts *parts, int i)
{
    parts->count--;
    memmove(&parts->part[i], &parts->part[i + 1], (size_t)(parts->count - i) * sizeof *parts->part);
}

static inline void parts_swap(struct parts *parts, int i, int j)
{
    struct part kept = parts->part[i];
    parts->part[i] = parts->part[j];
    parts->part[j] = kept;
}

/* Most often the data of one part, else its head, its place, whether it is there, and how
 * often. */
static inline void parts_change(struct parts *parts, unsigned random)
{
    if (!parts->count)
        return;
    int i = (int)((random >> 4) % (unsigned)parts->count);
    int j = (int)((random >> 12) % (unsigned)parts->count);
    struct part *part = &parts->part[i];
    switch (random & 15) {
    case 0:
        parts_remove(parts, i);
        break;
    case 1:
        parts_swap(parts, i, j);
        break;
    case 2:
        if (parts_add(parts, part->head, part->head_size, part->data, part->size))
            parts_swap(parts, j, parts->count - 1);
        break;
    case 3:
    case 4:
        if (part->head_size)
            part->head_size = LLVMFuzzerMutate(part->head, part->head_size, part->head_size);
        break;
    case 5:
        part->deflated = !part->deflated;
        break;
    default:
        part->size = LLVMFuzzerMutate(part->data, part->size,
                                      2 * part->size + 256 < 4096 ? part->size + 128 : part->size);
    }
}

/* ---- putting together ---- */

struct parts_out {
    uint8_t *bytes;
    size_t size, max;
};

static inline void parts_put(struct parts_out *out, const void *bytes, size_t size)
{
    if (size > out->max - out->size)
        size = out->max - out->size;
    if (size)
        memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static inline void parts_put_number(struct parts_out *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        parts_put(out, &(uint8_t){i < 8 ? (uint8_t)(value >> 8 * i) : 0}, 1);
}

static inline uint64_t parts_number(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

/* A kind of file: `take` adds the parts that it finds. */
struct parts_kind {
    void (*take)(struct parts *parts, const uint8_t *bytes, size_t size);
    void (*put)(struct parts *parts, struct parts_out *out);
};

/* The body of a LLVMFuzzerCustomMutator: one time in eight bytes are changed as they come. */
static inline size_t parts_mutate(const struct parts_kind *kind, uint8_t *data, size_t size,
                                  size_t max_size, unsigned random)
{
    static struct parts parts;
    if (random % 8 == 0 || size > PARTS_ROOM)
        return LLVMFuzzerMutate(data, size, max_size);
    parts.count = 0;
    parts.used = 0;
    kind->take(&parts, data, size);
    if (!parts.count)
        return LLVMFuzzerMutate(data, size, max_size);
    parts_change(&parts, random / 8);
    struct parts_out out = {data, 0, max_size};
    kind->put(&parts, &out);
    return out.size;
}

#endif
