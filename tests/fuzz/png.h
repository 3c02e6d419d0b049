/* A PNG's chunks as parts: lengths and sums are put right. */
#ifndef TESTS_FUZZ_PNG_H
#define TESTS_FUZZ_PNG_H

#include <zlib.h>

#include "tests/fuzz/parts.h"

static inline size_t png_length(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static inline void png_take(struct parts *parts, const uint8_t *bytes, size_t size)
{
    for (size_t at = 8; at + 12 <= size;) {
        size_t length = png_length(bytes + at);
        if (length > size - at - 12)
            length = size - at - 12;
        if (!parts_add(parts, bytes + at + 4, 4, bytes + at + 8, length))
            return;
        at += 12 + length;
    }
}

static inline void png_put_number(struct parts_out *out, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};
    parts_put(out, bytes, 4);
}

static inline void png_put(struct parts *parts, struct parts_out *out)
{
    parts_put(out, "\x89PNG\r\n\x1a\n", 8);
    for (int i = 0; i < parts->count; i++) {
        const struct part *part = &parts->part[i];
        png_put_number(out, (uint32_t)part->size);
        parts_put(out, part->head, 4);
        parts_put(out, part->data, part->size);
        png_put_number(out, (uint32_t)crc32(crc32(0, part->head, 4), part->data, (uInt)part->size));
    }
}

static const struct parts_kind png_kind = {png_take, png_put};

#endif
