#include <limits.h>

#include "image/image.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image_reader *reader;
    struct err err;
    int (*open)(struct image_reader **, const char *, struct err *) =
        size && data[size - 1] & 1 ? image_open_labels : image_open;
    if (open(&reader, fuzz_file(data, size), &err))
        return 0;
    const struct image_info *info = image_info(reader);
    size_t row = image_row_bytes(info);
    if (row > 1 << 24 || info->height > 4096) {
        image_close(reader);
        return 0;
    }
    uint8_t *pixels = malloc(row);
    unsigned sum = 0;
    for (int64_t y = 0; pixels && y < info->height; y++) {
        if (image_read_rows(reader, 1, pixels, &err))
            break;
        for (size_t i = 0; i < row; i++)
            sum |= pixels[i];
    }
    if (sum == UINT_MAX)
        abort();
    free(pixels);
    image_close(reader);
    return 0;
}
