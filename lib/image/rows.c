#include "image/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/joined.h"

#define CHUNK_SIZE    (1 << 20)  /* bytes of rows that are converted at a time */
#define RESIDENT_SIZE (64 << 20) /* bytes of an image that is read once */

void rows_close(struct rows *source)
{
    image_close(source->reader);
    mask_close(&source->mask);
    band_free(&source->band);
    free(source->chunk);
    *source = (struct rows){0};
}

static int allocate(struct rows *source, const char *path, struct err *err)
{
    size_t row_bytes = image_row_bytes(source->info);
    source->chunk_rows = 1 + (int64_t)(CHUNK_SIZE / (row_bytes + 1));
    source->chunk = malloc((size_t)source->chunk_rows * row_bytes);
    size_t pixel = (size_t)source->channels * dtype_size(source->dtype);
    source->band = band_new((size_t)source->info->width * pixel);
    return source->chunk ? 0 : err_memory(err, path);
}

static int describe(struct rows *source, const char *path, struct err *err)
{
    source->info = image_info(source->reader);
    source->dtype = source->info->is_label ? DTYPE_F32 : image_dtype(source->info);
    source->channels = channels_after(image_colors(source->info), source->wish);
    return allocate(source, path, err);
}

int rows_open(struct rows *source, const char *path, enum channels_wish wish, struct err *err)
{
    *source = (struct rows){.wish = wish};
    return image_open(&source->reader, path, err) ? -1 : describe(source, path, err);
}

int rows_open_joined(struct rows *source, const char *const *paths, size_t count,
                     enum channels_wish wish, struct err *err)
{
    *source = (struct rows){.wish = wish, .path_count = count};
    source->paths = count > 1 ? paths : NULL;
    return joined_open(&source->reader, paths, count, err) ? -1 : describe(source, paths[0], err);
}

static int check_size(const struct rows *mask, const struct rows *image, const char *path,
                      struct err *err)
{
    if (mask->info->width != image->info->width || mask->info->height != image->info->height)
        return err_set(err, STATUS_DATA,
                       "read '%s': the mask has %lld x %lld pixels, the image %lld x %lld", path,
                       (long long)mask->info->width, (long long)mask->info->height,
                       (long long)image->info->width, (long long)image->info->height);
    return 0;
}

int rows_open_mask(struct rows *source, const char *path, const struct rows *image, struct err *err)
{
    *source = (struct rows){.labels = true, .channels = 1};
    if (mask_open(&source->mask, path, err))
        return -1;
    source->info = source->mask.info;
    if (check_size(source, image, path, err) || mask_examine(&source->mask, err))
        return -1;
    source->dtype = source->mask.dtype;
    source->maximum = source->mask.white;
    return allocate(source, path, err);
}

int rows_check_image(const struct rows *source, const char *path, struct err *err)
{
    if (!source->channels)
        return err_set(err, STATUS_DATA, "read '%s': %d channels cannot be made %s", path,
                       image_colors(source->info), source->wish == CHANNELS_RGB ? "RGB" : "gray");
    return 0;
}

/* Whole numbers of 32 bits, in place. */
static void make_floats(void *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float value = (float)((uint32_t *)values)[i];
        memcpy((uint32_t *)values + i, &value, sizeof value);
    }
}

/* Reads at most chunk_rows rows and converts their channels into `to`; the rows
 * of a file that needs no conversion go there directly. */
static int read_rows(struct rows *source, int64_t rows, void *to, struct err *err)
{
    int channels = source->info->channels;
    size_t pixels = (size_t)(rows * source->info->width);
    void *raw = channels == source->channels ? to : source->chunk;
    source->next_row += rows;
    if (source->labels)
        return mask_read(&source->mask, rows, to, err);
    if (image_read_rows(source->reader, rows, raw, err))
        return -1;
    if (source->info->is_label)
        make_floats(raw, pixels * (size_t)channels);
    if (raw != to)
        channels_convert(raw, channels, to, source->channels, source->dtype, pixels);
    return 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void make_binary(void *values, enum dtype dtype, uint32_t maximum, size_t n)
{
    if (dtype == DTYPE_U8)
        for (size_t i = 0; i < n; i++)
            ((uint8_t *)values)[i] = ((uint8_t *)values)[i] == maximum;
    else
        for (size_t i = 0; i < n; i++)
            ((uint16_t *)values)[i] = ((uint16_t *)values)[i] == maximum;
}

static int skip_rows(struct rows *source, int64_t until, struct err *err)
{
    while (source->next_row < until) {
        int64_t rows = smaller(until - source->next_row, source->chunk_rows);
        if (source->labels ? mask_read(&source->mask, rows, source->chunk, err)
                           : image_read_rows(source->reader, rows, source->chunk, err))
            return -1;
        source->next_row += rows;
    }
    return 0;
}

int rows_need(struct rows *source, int64_t top, int64_t bottom, struct err *err)
{
    bottom = smaller(bottom, source->info->height);
    band_drop(&source->band, top);
    if (band_extend(&source->band, bottom, err) || skip_rows(source, source->band.top, err))
        return -1;
    while (source->next_row < bottom) {
        int64_t y = source->next_row, most = smaller(bottom - y, source->chunk_rows);
        int64_t rows = band_contiguous(&source->band, y, most);
        void *to = band_row(&source->band, y);
        if (read_rows(source, rows, to, err))
            return -1;
        if (source->maximum)
            make_binary(to, source->dtype, source->maximum, (size_t)(rows * source->info->width));
    }
    return 0;
}

/* Of the file. */
static int scan_anew(const char *path, const struct rows *like, rows_look *look, void *data,
                     struct err *err)
{
    struct rows source;
    int result = like->path_count > 1
                     ? rows_open_joined(&source, like->paths, like->path_count, like->wish, err)
                     : rows_open(&source, path, like->wish, err);
    if (result == 0)
        result = band_extend(&source.band, source.chunk_rows, err);
    while (result == 0 && source.next_row < source.info->height) {
        int64_t rows = smaller(source.info->height - source.next_row, source.chunk_rows);
        result = read_rows(&source, rows, source.band.rows, err);
        if (result == 0)
            look(data, source.band.rows, (size_t)(rows * source.info->width * source.channels));
    }
    rows_close(&source);
    return result;
}

int rows_scan(const char *path, struct rows *image, rows_look *look, void *data, struct err *err)
{
    int64_t height = image->info->height;
    if (image->band.top > 0 || (uint64_t)height * image->band.row_bytes > RESIDENT_SIZE)
        return scan_anew(path, image, look, data, err);
    if (rows_need(image, 0, height, err))
        return -1;
    for (int64_t y = 0, rows; y < height; y += rows) {
        rows = band_contiguous(&image->band, y, smaller(height - y, image->chunk_rows));
        look(data, band_row(&image->band, y),
             (size_t)(rows * image->info->width * image->channels));
    }
    return 0;
}

int rows_window(const struct rows *source, int64_t x, int64_t y, int64_t width, int64_t height,
                struct array *window, double *peak, struct err *err)
{
    size_t shape[3] = {(size_t)height, (size_t)width, (size_t)source->channels};
    size_t pixel = (size_t)source->channels * dtype_size(source->dtype);
    int64_t right = smaller(x + width, source->info->width);
    int64_t bottom = smaller(y + height, source->info->height);
    bool looks = peak && (source->dtype == DTYPE_U16 || source->dtype == DTYPE_F32);
    if (array_new(window, source->dtype, source->labels ? 2 : 3, shape, err))
        return -1;
    unsigned char *to = window->data;
    double most = 0;
    for (int64_t row = y; row < bottom; row++) {
        const unsigned char *from =
            (unsigned char *)band_row(&source->band, row) + (size_t)x * pixel;
        size_t size = (size_t)(right - x) * pixel;
        if (looks)
            most = fmax(most, peak_copy(source->dtype, from, size / dtype_size(source->dtype), to));
        else
            memcpy(to, from, size);
        to += (size_t)width * pixel;
    }
    if (peak)
        *peak = most;
    return 0;
}
