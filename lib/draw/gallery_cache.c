#include "draw/gallery_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/outfile.h"

enum { PATH, STAMP, WIDTH, HEIGHT, PIXEL_AREA, MEAN, SATURATED, CONTRAST, SHARPNESS, COLUMNS };

static const char header[] =
    "image\tstamp\twidth\theight\tpixel_area\tmean\tsaturated\tcontrast\tsharpness\n";

/* Bytes and time of the last change; false where there is no file. */
static bool stamp_of(const char *path, char stamp[80])
{
    struct stat st;
    if (stat(path, &st))
        return false;
    snprintf(stamp, 80, "%lld-%lld.%09ld", (long long)st.st_size, (long long)st.st_mtim.tv_sec,
             (long)st.st_mtim.tv_nsec);
    return true;
}

void gallery_cache_read(struct tsv *cache, const char *path)
{
    struct err err;
    *cache = (struct tsv){0};
    if (tsv_read(cache, path, &err)) {
        *cache = (struct tsv){0};
        return;
    }
    if (cache->columns != COLUMNS || strcmp(cache->names[STAMP], "stamp") != 0)
        cache->rows = 0;
}

/* The row of that path, or cache->rows. */
static size_t row_of(const struct tsv *cache, const char *path)
{
    size_t low = 0, high = cache->rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(tsv_cell(cache, middle, PATH), path);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return cache->rows;
}

bool gallery_cache_find(const struct tsv *cache, struct gallery_image *image)
{
    char stamp[80];
    size_t row = row_of(cache, image->path);
    if (row == cache->rows || !stamp_of(image->path, stamp) ||
        strcmp(tsv_cell(cache, row, STAMP), stamp) != 0)
        return false;
    double values[COLUMNS];
    for (size_t i = WIDTH; i < COLUMNS; i++) {
        char *end;
        const char *text = tsv_cell(cache, row, i);
        values[i] = strtod(text, &end);
        if (end == text || *end)
            return false;
    }
    image->width = (int64_t)values[WIDTH];
    image->height = (int64_t)values[HEIGHT];
    image->pixel_area = values[PIXEL_AREA];
    image->mean = values[MEAN];
    image->saturated = values[SATURATED];
    image->contrast = values[CONTRAST];
    image->sharpness = values[SHARPNESS];
    return true;
}

static int write_row(struct outfile *out, const struct gallery_image *image, struct err *err)
{
    char stamp[80], row[400];
    if (image->failure || strpbrk(image->path, "\t\r\n") || *image->path == '#' ||
        !stamp_of(image->path, stamp))
        return 0;
    int length = snprintf(row, sizeof row,
                          "\t%s\t%" PRId64 "\t%" PRId64 "\t%.17g\t%.17g\t%.17g\t%.17g\t%.17g\n",
                          stamp, image->width, image->height, image->pixel_area, image->mean,
                          image->saturated, image->contrast, image->sharpness);
    return outfile_put(out, image->path, strlen(image->path), err) ||
                   outfile_put(out, row, (size_t)length, err)
               ? -1
               : 0;
}

int gallery_cache_write(const struct gallery *gallery, const char *path, struct err *err)
{
    struct outfile *out;
    if (outfile_open(&out, path, err))
        return -1;
    int result = outfile_put(out, header, sizeof header - 1, err);
    for (size_t i = 0; i < gallery->count && result == 0; i++)
        result = write_row(out, &gallery->images[i], err);
    if (result == 0)
        return outfile_commit(out, err);
    outfile_abort(out);
    return -1;
}
