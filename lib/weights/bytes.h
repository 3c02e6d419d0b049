/* Little-endian numbers at any address. */
#ifndef WEIGHTS_BYTES_H
#define WEIGHTS_BYTES_H

#include <stdint.h>

static inline uint64_t bytes_le(const unsigned char *at, int size)
{
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

#endif
