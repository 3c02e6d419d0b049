#include "image/samples.h"

#include <string.h>

#include "core/half.h"
#include "core/target.h"

int samples_delivered_bits(const struct sample_format *format)
{
    if (format->kind == SAMPLE_FLOAT || format->as_float || format->bits > 16)
        return 32;
    return format->bits > 8 ? 16 : 8;
}

bool samples_are_plain(const struct sample_format *format)
{
    if (format->inverted || format->as_float)
        return false;
    if (format->kind == SAMPLE_FLOAT)
        return format->bits == 32;
    return format->kind == SAMPLE_UNSIGNED &&
           (format->bits == 8 || format->bits == 16 || format->bits == 32);
}

/* ---- floats ---- */

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

/* ---- integers without a sign, of 8 or 16 bits ---- */

CLONES(static, void, unpack_bytes, (uint8_t flip, const uint8_t *from, size_t count, uint8_t *to),
       (flip, from, count, to))
{
    for (size_t i = 0; i < count; i++)
        to[i] = from[i] ^ flip;
}

CLONES(static, void, unpack_words, (uint16_t flip, const uint8_t *from, size_t count, uint16_t *to),
       (flip, from, count, to))
{
    for (size_t i = 0; i < count; i++) {
        uint16_t value;
        memcpy(&value, from + 2 * i, sizeof value);
        to[i] = value ^ flip;
    }
}

CLONES(static, void, unpack_signed_words, (const uint8_t *from, size_t count, float *to),
       (from, count, to))
{
    for (size_t i = 0; i < count; i++) {
        int16_t value;
        memcpy(&value, from + 2 * i, sizeof value);
        to[i] = value;
    }
}

/* ---- all other integers, one by one ---- */

/* Where the next sample is read. */
struct sample_cursor {
    const uint8_t *from;
    uint32_t pool; /* bits read that no sample had yet, the lowest `held` */
    unsigned held;
};

static uint64_t next_bits(struct sample_cursor *cursor, unsigned bits)
{
    if (bits % 8 == 0) {
        uint64_t value = 0;
        memcpy(&value, cursor->from, bits / 8);
        cursor->from += bits / 8;
        return value;
    }
    while (cursor->held < bits) {
        cursor->pool = cursor->pool << 8 | *cursor->from++;
        cursor->held += 8;
    }
    cursor->held -= bits;
    return cursor->pool >> cursor->held & ((1u << bits) - 1);
}

static int64_t extend_sign(uint64_t value, int bits)
{
    uint64_t sign = UINT64_C(1) << (bits - 1);
    return (int64_t)((value ^ sign) - sign);
}

static void put_integer(int delivered, size_t i, uint64_t value, void *to)
{
    if (delivered == 8)
        ((uint8_t *)to)[i] = (uint8_t)value;
    else if (delivered == 16)
        ((uint16_t *)to)[i] = (uint16_t)value;
    else
        ((uint32_t *)to)[i] = (uint32_t)value;
}

/* Labels with a sign: -1 is what some programs call "nothing". */
static bool unpack_signed_labels(const struct sample_format *format, const uint8_t *from,
                                 size_t count, void *to, uint64_t *voids)
{
    struct sample_cursor cursor = {.from = from};
    int delivered = samples_delivered_bits(format);
    bool fits = true;
    for (size_t i = 0; i < count; i++) {
        int64_t value = extend_sign(next_bits(&cursor, (unsigned)format->bits), format->bits);
        *voids += value == -1;
        fits &= value >= -1 && value <= UINT32_MAX;
        put_integer(delivered, i, value < 0 ? 0 : (uint64_t)value, to);
    }
    return fits;
}

static bool unpack_unsigned(const struct sample_format *format, const uint8_t *from, size_t count,
                            void *to)
{
    struct sample_cursor cursor = {.from = from};
    int delivered = samples_delivered_bits(format);
    unsigned bits = (unsigned)format->bits;
    uint64_t max = bits < 32 ? (UINT64_C(1) << bits) - 1 : UINT32_MAX;
    bool fits = true, scaled = format->scaled && bits < 8;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = next_bits(&cursor, bits);
        fits &= value <= max;
        if (format->inverted)
            value = max - value;
        if (scaled)
            value = ((uint32_t)value * 255 + (uint32_t)max / 2) / (uint32_t)max;
        put_integer(delivered, i, value, to);
    }
    return fits;
}

static void integers_to_floats(const struct sample_format *format, const uint8_t *from,
                               size_t count, float *to)
{
    struct sample_cursor cursor = {.from = from};
    int bits = format->bits;
    uint64_t max = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = next_bits(&cursor, (unsigned)bits);
        if (format->kind == SAMPLE_SIGNED)
            to[i] = (float)extend_sign(value, bits);
        else
            to[i] = (float)(format->inverted ? max - value : value);
    }
}

bool samples_unpack(const struct sample_format *format, const uint8_t *from, size_t count, void *to,
                    uint64_t *voids)
{
    bool has_sign = format->kind == SAMPLE_SIGNED;
    if (format->kind == SAMPLE_FLOAT)
        return unpack_floats(format, from, count, to);
    if (format->as_float && has_sign && format->bits == 16)
        unpack_signed_words(from, count, to);
    else if (format->as_float)
        integers_to_floats(format, from, count, to);
    else if (has_sign)
        return unpack_signed_labels(format, from, count, to, voids);
    else if (format->bits == 8)
        unpack_bytes(format->inverted ? 0xff : 0, from, count, to);
    else if (format->bits == 16)
        unpack_words(format->inverted ? 0xffff : 0, from, count, to);
    else
        return unpack_unsigned(format, from, count, to);
    return true;
}

/* ---- colors ---- */

static uint32_t cmyk_sample(const void *from, int bits, size_t i)
{
    return bits == 8 ? ((const uint8_t *)from)[i] : ((const uint16_t *)from)[i];
}

void samples_cmyk(const void *from, size_t count, int bits, bool inverted, void *to)
{
    uint32_t max = bits == 8 ? 255 : 65535;
    for (size_t i = 0; i < count; i++) {
        uint64_t light[4];
        for (size_t c = 0; c < 4; c++) {
            uint32_t ink = cmyk_sample(from, bits, 4 * i + c);
            light[c] = inverted ? ink : max - ink;
        }
        for (size_t c = 0; c < 3; c++)
            put_integer(bits, 3 * i + c, (light[c] * light[3] + max / 2) / max, to);
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
