#include "core/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "core/cpu.h"

#define POLYNOMIAL UINT32_C(0x82f63b78) /* 0x1edc6f41, lowest bit first */
#define LANE       ((size_t)1024)       /* bytes; three lanes are summed at once */

/* tables[k][b]: what byte b does to the sum k bytes later.  lane[k][b]: what byte k of the
 * sum becomes by a lane of zeros. */
static uint32_t tables[8][256], lane[4][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t add_byte(uint32_t crc, uint8_t byte)
{
    return tables[0][(crc ^ byte) & 255] ^ crc >> 8;
}

static bool hardware;

static void make_tables(void)
{
    hardware = cpu_has_crc32c();
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        tables[0][b] = crc;
    }
    for (int b = 0; b < 256; b++)
        for (int k = 1; k < 8; k++)
            tables[k][b] = add_byte(tables[k - 1][b], 0);
    for (int bit = 0; bit < 32; bit++) {
        uint32_t crc = UINT32_C(1) << bit;
        for (size_t i = 0; i < LANE; i++)
            crc = add_byte(crc, 0);
        for (int b = 0; b < 256; b++)
            lane[bit / 8][b] ^= b >> bit % 8 & 1 ? crc : 0;
    }
}

/* Eight bytes at a time, "slicing by 8" (Kounavis and Berry, 2005). */
static uint32_t sum_portable(uint32_t crc, const uint8_t *p, size_t size)
{
    for (; size >= 8; p += 8, size -= 8) {
        uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                              (uint32_t)p[3] << 24);
        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^
              tables[4][low >> 24] ^ tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^
              tables[0][p[7]];
    }
    for (; size; p++, size--)
        crc = add_byte(crc, *p);
    return crc;
}

/* ---- the processor's own instruction ---- */

#define LOAD                                                                                       \
    static inline uint64_t load(const uint8_t *p)                                                  \
    {                                                                                              \
        uint64_t word;                                                                             \
        memcpy(&word, p, sizeof word);                                                             \
        return word;                                                                               \
    }

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#define HARDWARE __attribute__((target("sse4.2")))
LOAD

    HARDWARE static inline uint32_t
    add8(uint32_t crc, const uint8_t *p)
{
    return (uint32_t)_mm_crc32_u64(crc, load(p));
}

HARDWARE static inline uint32_t add1(uint32_t crc, uint8_t byte)
{
    return _mm_crc32_u8(crc, byte);
}

#elif defined(__AARCH64EL__) && defined(__linux__) && defined(__GNUC__)
#include <arm_acle.h>
#define HARDWARE __attribute__((target("+crc")))
LOAD

    HARDWARE static inline uint32_t
    add8(uint32_t crc, const uint8_t *p)
{
    return __crc32cd(crc, load(p));
}

HARDWARE static inline uint32_t add1(uint32_t crc, uint8_t byte)
{
    return __crc32cb(crc, byte);
}

#endif

#ifdef HARDWARE
static uint32_t after_lane(uint32_t crc)
{
    return lane[0][crc & 255] ^ lane[1][crc >> 8 & 255] ^ lane[2][crc >> 16 & 255] ^
           lane[3][crc >> 24];
}

/* The instruction takes 3 cycles and one can begin in each: three lanes at a time. */
HARDWARE static uint32_t sum_hardware(uint32_t crc, const uint8_t *p, size_t size)
{
    for (; size >= 3 * LANE; p += 3 * LANE, size -= 3 * LANE) {
        uint32_t second = 0, third = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            crc = add8(crc, p + i);
            second = add8(second, p + LANE + i);
            third = add8(third, p + 2 * LANE + i);
        }
        crc = after_lane(after_lane(crc) ^ second) ^ third;
    }
    for (; size >= 8; p += 8, size -= 8)
        crc = add8(crc, p);
    for (; size; p++, size--)
        crc = add1(crc, *p);
    return crc;
}
#else
#define sum_hardware sum_portable
#endif

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size)
{
    pthread_once(&once, make_tables);
    return ~sum_portable(~crc, data, size);
}

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    pthread_once(&once, make_tables);
    return ~(hardware ? sum_hardware : sum_portable)(~crc, data, size);
}
