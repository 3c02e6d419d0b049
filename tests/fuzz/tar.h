/* A tar's members as parts; those of a tensor stream get their checksums, __end__ its counts. */
#ifndef TESTS_FUZZ_TAR_H
#define TESTS_FUZZ_TAR_H

#include <inttypes.h>
#include <stdio.h>

#include "core/crc32c.h"
#include "tests/fuzz/npy.h"
#include "tests/fuzz/parts.h"

static inline size_t tar_octal(const uint8_t *field)
{
    size_t value = 0;
    for (int i = 0; i < 11 && field[i] >= '0' && field[i] <= '7'; i++)
        value = value * 8 + (size_t)(field[i] - '0');
    return value;
}

static inline void tar_take(struct parts *parts, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + 512 <= size;) {
        size_t begin = at + 512, length = tar_octal(bytes + at + 124);
        if (!bytes[at]) {
            at += 512;
            continue;
        }
        if (length > size - begin)
            length = size - begin;
        if (!parts_add(parts, bytes + at, 512, bytes + begin, length))
            return;
        at = begin + (length + 511) / 512 * 512;
    }
}

static inline void tar_put_member(struct parts_out *out, struct part *part)
{
    static const uint8_t zeros[512];
    uint8_t *head = part->head;
    unsigned sum = 8 * ' ';
    snprintf((char *)head + 124, 12, "%011zo", part->size);
    if (memcmp(head + 297, "crc32c=", 7) == 0)
        snprintf((char *)head + 297, 32, "crc32c=%08" PRIx32, crc32c(0, part->data, part->size));
    for (int i = 0; i < 512; i++)
        if (i < 148 || i >= 156)
            sum += head[i];
    snprintf((char *)head + 148, 8, "%06o", sum & 0777777);
    head[155] = ' ';
    parts_put(out, head, 512);
    parts_put(out, part->data, part->size);
    parts_put(out, zeros, -part->size % 512);
}

struct tar_counts {
    size_t samples, members;
    uint32_t sum;
    char key[101];
};

static inline void tar_count(struct tar_counts *counts, const struct part *part)
{
    char name[101] = "";
    memcpy(name, part->head, 100);
    char *slash = strrchr(name, '/'), *dot = strchr(slash ? slash : name, '.');
    uint32_t crc = crc32c(0, part->data, part->size);
    uint8_t bytes[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                        (uint8_t)(crc >> 24)};
    counts->members++;
    counts->sum += crc32c(crc32c(0, name, strlen(name) + 1), bytes, 4);
    if (dot)
        *dot = 0;
    counts->samples += strcmp(name, counts->key) != 0;
    memcpy(counts->key, name, sizeof name);
}

/* The beginning of __end__ is made anew; what is behind, the list of failures, stays. */
static inline void tar_end(const struct tar_counts *counts, struct part *part)
{
    char text[200];
    const uint8_t *rest = NULL;
    for (size_t i = 0; i + 9 < part->size && !rest; i++)
        if (memcmp(part->data + i, ",\"failed\"", 9) == 0)
            rest = part->data + i;
    int length =
        snprintf(text, sizeof text, "{\"samples\":%zu,\"members\":%zu,\"crc32c\":\"%08" PRIx32 "\"",
                 counts->samples, counts->members, counts->sum);
    size_t left = rest ? part->size - (size_t)(rest - part->data) : 0;
    if (rest)
        memmove(part->data + length, rest, left);
    memcpy(part->data, text, (size_t)length);
    part->size = (size_t)length + left;
    if (!rest)
        part->data[part->size++] = '}';
}

static inline bool tar_is_named(const struct part *part, const char *name)
{
    return memcmp(part->head, name, strlen(name) + 1) == 0;
}

static inline bool tar_is_npy(const struct part *part)
{
    char name[101] = "";
    memcpy(name, part->head, 100);
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".npy") == 0;
}

static inline void tar_put(struct parts *parts, struct parts_out *out)
{
    static const uint8_t zeros[1024];
    struct tar_counts counts = {0};
    for (int i = 0; i < parts->count; i++) {
        struct part *part = &parts->part[i];
        if (tar_is_npy(part))
            npy_fit(part->data, part->size);
        if (tar_is_named(part, "__end__"))
            tar_end(&counts, part);
        else if (!tar_is_named(part, "__stream__"))
            tar_count(&counts, part);
        tar_put_member(out, part);
    }
    parts_put(out, zeros, sizeof zeros);
}

static const struct parts_kind tar_kind = {tar_take, tar_put};

#endif
