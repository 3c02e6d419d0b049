/* All rows of an image, as colors, as labels, and as a mask. */
#ifndef TESTS_FUZZ_PIXELS_H
#define TESTS_FUZZ_PIXELS_H

#include <limits.h>

#include "image/image.h"
#include "image/mask.h"
#include "tests/fuzz/fuzz.h"

#define PIXELS_MAX_ROW  (1 << 20)
#define PIXELS_MAX_ROWS 2048

static inline bool pixels_are_few(const struct image_info *info)
{
    return image_row_bytes(info) <= PIXELS_MAX_ROW && info->height <= PIXELS_MAX_ROWS;
}

static inline void pixels_read_rows(struct image_reader *reader)
{
    struct err err;
    size_t row = image_row_bytes(image_info(reader));
    uint8_t *pixels = malloc(row);
    unsigned sum = 0;
    for (int64_t y = 0; pixels && y < image_info(reader)->height; y++) {
        if (image_read_rows(reader, 1, pixels, &err))
            break;
        for (size_t i = 0; i < row; i++)
            sum |= pixels[i];
    }
    if (sum == UINT_MAX)
        abort();
    free(pixels);
}

static inline void pixels_read_mask(const char *path)
{
    struct mask mask = {0};
    struct err err;
    if (mask_open(&mask, path, &err) == 0 && pixels_are_few(mask.info)) {
        uint32_t *labels = malloc((size_t)mask.info->width * (size_t)mask.info->height * 4 + 4);
        if (labels && mask_examine(&mask, &err) == 0)
            (void)!mask_read32(&mask, mask.info->height, labels, &err);
        free(labels);
    }
    mask_close(&mask);
}

static inline void pixels_read(const char *path, bool as_labels)
{
    struct image_reader *reader;
    struct err err;
    if ((as_labels ? image_open_labels : image_open)(&reader, path, &err))
        return;
    if (pixels_are_few(image_info(reader))) {
        pixels_read_rows(reader);
        if (image_rewind(reader, &err) == 0)
            pixels_read_rows(reader);
    }
    image_close(reader);
}

static inline int pixels_read_all(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    pixels_read(path, false);
    pixels_read(path, true);
    pixels_read_mask(path);
    return 0;
}

#endif
