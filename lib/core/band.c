#include "core/band.h"

#include <stdlib.h>
#include <string.h>

#include "core/num.h"

struct band band_new(size_t row_bytes)
{
    return (struct band){.row_bytes = row_bytes};
}

void band_free(struct band *band)
{
    free(band->rows);
    *band = (struct band){.row_bytes = band->row_bytes};
}

void *band_row(const struct band *band, int64_t y)
{
    return band->rows + (size_t)(y % band->capacity) * band->row_bytes;
}

int64_t band_contiguous(const struct band *band, int64_t y, int64_t rows)
{
    int64_t until_wrap = band->capacity - y % band->capacity;
    return rows < until_wrap ? rows : until_wrap;
}

void band_paste(const struct band *band, int64_t y, size_t at, const void *from, size_t stride,
                size_t bytes, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        memcpy((unsigned char *)band_row(band, y + (int64_t)i) + at,
               (const unsigned char *)from + i * stride, bytes);
}

static int grow(struct band *band, int64_t capacity, struct err *err)
{
    size_t bytes;
    if (!num_mul((size_t)capacity, band->row_bytes, &bytes) || bytes > SIZE_MAX / 2)
        return err_memory(err, "a band of rows");
    struct band larger = *band;
    larger.capacity = capacity;
    larger.rows = malloc(bytes ? bytes : 1);
    if (!larger.rows)
        return err_memory(err, "a band of rows");
    for (int64_t y = band->top; y < band->bottom; y++)
        memcpy(band_row(&larger, y), band_row(band, y), band->row_bytes);
    free(band->rows);
    *band = larger;
    return 0;
}

int band_extend(struct band *band, int64_t bottom, struct err *err)
{
    if (bottom <= band->bottom)
        return 0;
    int64_t rows = bottom - band->top, half_more = band->capacity + band->capacity / 2;
    if (rows > band->capacity && grow(band, rows > half_more ? rows : half_more, err))
        return -1;
    while (band->bottom < bottom) {
        rows = band_contiguous(band, band->bottom, bottom - band->bottom);
        memset(band_row(band, band->bottom), 0, (size_t)rows * band->row_bytes);
        band->bottom += rows;
    }
    return 0;
}

void band_drop(struct band *band, int64_t top)
{
    if (top > band->top)
        band->top = top;
    if (band->bottom < band->top)
        band->bottom = band->top;
}
