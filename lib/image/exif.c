#include "image/exif.h"

#include <stdbool.h>
#include <string.h>

#define ORIENTATION_TAG 274
#define SHORT_TYPE      3

struct exif {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
};

/* A number of 2 or 4 bytes; 0 when it is not there. */
static uint32_t number_at(const struct exif *exif, size_t at, size_t bytes)
{
    uint32_t value = 0;
    if (at > exif->size || exif->size - at < bytes)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint32_t)exif->bytes[at + i] << 8 * (exif->big_endian ? bytes - 1 - i : i);
    return value;
}

static int find_orientation(const struct exif *exif)
{
    size_t directory = number_at(exif, 4, 4);
    uint32_t count = number_at(exif, directory, 2);
    for (uint32_t i = 0; i < count; i++) {
        size_t entry = directory + 2 + 12 * (size_t)i;
        if (entry >= exif->size)
            return 1;
        if (number_at(exif, entry, 2) != ORIENTATION_TAG ||
            number_at(exif, entry + 2, 2) != SHORT_TYPE)
            continue;
        uint32_t value = number_at(exif, entry + 8, 2);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

int exif_orientation(const uint8_t *bytes, size_t size)
{
    if (size >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0) {
        bytes += 6;
        size -= 6;
    }
    if (size < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return 1;
    struct exif exif = {bytes, size, bytes[0] == 'M'};
    return find_orientation(&exif);
}
