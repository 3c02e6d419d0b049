#include "image/samples.h"

#include <string.h>

#include "core/half.h"
#include "core/target.h"

int samples_delivered_bits(const struct sample_format *format)
{
    if (format->kind == SAMPLE_FLOAT || format->bits > 16)
        return 32;
    return format->bits > 8 ? 16 : 8;
}

bool samples_are_plain(const struct sample_format *format)
{
    if (format->inverted)
        return false;
    if (format->kind == SAMPLE_FLOAT)
        return format->bits == 32;
    return format->kind == SAMPLE_UNSIGNED &&
           (format->bits == 8 || format->bits == 16 || format->bits == 32);
}

static bool unpack_floats(const struct sample_format *format, const uint8_t *from, size_t count,
                          float *to)
{
    if (format->bits == 32)
        memcpy(to, from, count * sizeof *to);
    for (size_t i = 0; format->bits == 16 && i < count; i++) {
        uint16_t half;
        memcpy(&half, from + i * sizeof half, sizeof half);
        to[i] = half_to_float(half);
    }
    for (size_t i = 0; format->bits == 64 && i < count; i++) {
        double value;
        memcpy(&value, from + i * sizeof value, sizeof value);
        to[i] = (float)value;
    }
    return true;
}

static bool unpack_wide(const struct sample_format *format, const uint8_t *from, size_t count,
                        uint32_t *to)
{
    size_t bytes = (size_t)format->bits / 8;
    uint64_t sign = format->kind == SAMPLE_SIGNED ? (uint64_t)1 << (format->bits - 1) : 0;
    uint64_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0;
        memcpy(&value, from + i * bytes, bytes);
        bad |= (value & sign) | (value >> 32);
        to[i] = (uint32_t)(format->inverted ? UINT32_MAX - value : value);
    }
    return bad == 0;
}

CLONES(static, bool, unpack_bytes,
       (const struct sample_format *format, const uint8_t *from, size_t count, uint8_t *to),
       (format, from, count, to))
{
    uint8_t flip = format->inverted ? 0xff : 0;
    uint8_t sign = format->kind == SAMPLE_SIGNED ? 0x80 : 0;
    uint8_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        bad |= from[i] & sign;
        to[i] = from[i] ^ flip;
    }
    return bad == 0;
}

CLONES(static, bool, unpack_words,
       (const struct sample_format *format, const uint8_t *from, size_t count, uint16_t *to),
       (format, from, count, to))
{
    uint16_t flip = format->inverted ? 0xffff : 0;
    uint16_t sign = format->kind == SAMPLE_SIGNED ? 0x8000 : 0;
    uint16_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t value;
        memcpy(&value, from + 2 * i, sizeof value);
        bad |= value & sign;
        to[i] = value ^ flip;
    }
    return bad == 0;
}

/* Calls for 1 to 15 bits a sample that are not 8. */
static bool unpack_bits(const struct sample_format *format, const uint8_t *from, size_t count,
                        void *to)
{
    unsigned bits = (unsigned)format->bits, held = 0;
    uint32_t max = (1u << bits) - 1, pool = 0, bad = 0;
    uint32_t sign = format->kind == SAMPLE_SIGNED ? 1u << (bits - 1) : 0;
    bool wide = bits > 8;
    for (size_t i = 0; i < count; i++) {
        while (held < bits) {
            pool = pool << 8 | *from++;
            held += 8;
        }
        uint32_t value = pool >> (held -= bits) & max;
        bad |= value & sign;
        if (format->inverted)
            value = max - value;
        if (wide)
            ((uint16_t *)to)[i] = (uint16_t)value;
        else
            ((uint8_t *)to)[i] = (uint8_t)(format->scaled ? (value * 255 + max / 2) / max : value);
    }
    return bad == 0;
}

bool samples_unpack(const struct sample_format *format, const uint8_t *from, size_t count, void *to)
{
    if (format->kind == SAMPLE_FLOAT)
        return unpack_floats(format, from, count, to);
    switch (format->bits) {
    case 8:
        return unpack_bytes(format, from, count, to);
    case 16:
        return unpack_words(format, from, count, to);
    case 32:
    case 64:
        return unpack_wide(format, from, count, to);
    default:
        return unpack_bits(format, from, count, to);
    }
}

void samples_interleave(const void *from, size_t count, size_t bytes, int channels, int channel,
                        void *to)
{
    const uint8_t *p = from;
    uint8_t *q = (uint8_t *)to + (size_t)channel * bytes;
    size_t step = (size_t)channels * bytes;
    for (size_t i = 0; bytes == 1 && i < count; i++)
        q[i * step] = p[i];
    for (size_t i = 0; bytes != 1 && i < count; i++)
        memcpy(q + i * step, p + i * bytes, bytes);
}

void samples_swap(void *samples, size_t count, size_t bytes)
{
    uint8_t *p = samples;
    if (bytes == 2) {
        uint16_t *words = samples;
        for (size_t i = 0; i < count; i++)
            words[i] = (uint16_t)(words[i] << 8 | words[i] >> 8);
        return;
    }
    for (size_t i = 0; i < count; i++, p += bytes)
        for (size_t a = 0, b = bytes - 1; a < b; a++, b--) {
            uint8_t kept = p[a];
            p[a] = p[b];
            p[b] = kept;
        }
}

void samples_difference(void *row, size_t size, int channels, int bytes)
{
    uint8_t *p = row;
    uint16_t *words = row;
    size_t step = (size_t)channels;
    for (size_t i = size; bytes == 1 && i-- > step;)
        p[i] = (uint8_t)(p[i] - p[i - step]);
    for (size_t i = size / 2; bytes == 2 && i-- > step;)
        words[i] = (uint16_t)(words[i] - words[i - step]);
}
