#include "core/channels.h"

#include <string.h>

#include "core/target.h"

int channels_after(int channels, enum channels_wish wish)
{
    if (wish == CHANNELS_KEEP)
        return channels;
    if (channels != 1 && channels != 3)
        return 0;
    return wish == CHANNELS_GRAY ? 1 : 3;
}

CLONES(static, void, luma_u8, (const uint8_t *from, int channels, uint8_t *to, size_t n),
       (from, channels, to, n))
{
    for (size_t i = 0; i < n; i++, from += channels)
        to[i] = (uint8_t)((299u * from[0] + 587u * from[1] + 114u * from[2] + 500u) / 1000u);
}

CLONES(static, void, luma_u16, (const uint16_t *from, int channels, uint16_t *to, size_t n),
       (from, channels, to, n))
{
    for (size_t i = 0; i < n; i++, from += channels)
        to[i] = (uint16_t)((299u * from[0] + 587u * from[1] + 114u * from[2] + 500u) / 1000u);
}

CLONES(static, void, luma_f32, (const float *from, int channels, float *to, size_t n),
       (from, channels, to, n))
{
    for (size_t i = 0; i < n; i++, from += channels)
        to[i] = 0.299f * from[0] + 0.587f * from[1] + 0.114f * from[2];
}

static void luma(const void *from, int channels, void *to, enum dtype dtype, size_t n)
{
    if (dtype == DTYPE_U8)
        luma_u8(from, channels, to, n);
    else if (dtype == DTYPE_U16)
        luma_u16(from, channels, to, n);
    else
        luma_f32(from, channels, to, n);
}

static void repeat_first(const unsigned char *from, size_t from_size, unsigned char *to, int times,
                         size_t value_size, size_t n)
{
    for (size_t i = 0; i < n; i++, from += from_size)
        for (int c = 0; c < times; c++, to += value_size)
            memcpy(to, from, value_size);
}

static void keep_first(const unsigned char *from, size_t from_size, unsigned char *to,
                       size_t to_size, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * to_size, from + i * from_size, to_size);
}

void channels_convert(const void *from, int from_channels, void *to, int to_channels,
                      enum dtype dtype, size_t n)
{
    size_t value = dtype_size(dtype);
    size_t from_size = (size_t)from_channels * value, to_size = (size_t)to_channels * value;
    if (from_channels == to_channels)
        memcpy(to, from, n * to_size);
    else if (from_channels >= 3 && to_channels == 1)
        luma(from, from_channels, to, dtype, n);
    else if (from_channels < to_channels)
        repeat_first(from, from_size, to, to_channels, value, n);
    else
        keep_first(from, from_size, to, to_size, n);
}
