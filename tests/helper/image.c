/* Images for the shell tests:
 *     image make WIDTH HEIGHT CHANNELS BITS FILE [noise|plain|labels|binary]
 *     image same A B      exit 0 when size, depth and every pixel are equal
 *     image info FILE     "width height channels bits"
 *     image at FILE X Y   the values of a pixel
 *     image mean FILE     the mean of all values
 *     image pages FILE WIDTH HEIGHT DESCRIPTION VALUE...   a TIFF of 8 bits, a page for each */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "image/image.h"
#include "tests/tiffs.h"

static void stop(const struct err *err)
{
    fprintf(stderr, "image: %s\n", err->message);
    exit(1);
}

static double value_at(const void *pixels, const struct image_info *info, size_t i)
{
    return info->bits == 8    ? (double)((const uint8_t *)pixels)[i]
           : info->bits == 16 ? (double)((const uint16_t *)pixels)[i]
           : info->is_label   ? (double)((const uint32_t *)pixels)[i]
                              : (double)((const float *)pixels)[i];
}

static void fill_noise(unsigned char *row, const struct image_info *info, struct rng *rng)
{
    size_t values = (size_t)info->width * (size_t)info->channels;
    for (size_t i = 0; i < values; i++) {
        uint64_t random = rng_u64(rng);
        float real = (float)rng_normal(rng);
        if (info->bits == 32)
            memcpy(row + 4 * i, &real, 4);
        else
            memcpy(row + (size_t)info->bits / 8 * i, &random, (size_t)info->bits / 8);
    }
}

static void fill_labels(unsigned char *row, const struct image_info *info, int64_t y, bool binary)
{
    for (int64_t x = 0; x < info->width; x++) {
        uint32_t label = (uint32_t)((x / 9) * 7 + (y / 11) * 13) % 5;
        uint32_t value = !binary ? label : label < 2 ? 0 : info->bits == 8 ? 255 : 65535;
        memcpy(row + x * info->bits / 8, &value, (size_t)info->bits / 8);
    }
}

static int make(char **args)
{
    struct image_info info = {.width = atol(args[0]),
                              .height = atol(args[1]),
                              .channels = atoi(args[2]),
                              .bits = atoi(args[3])};
    const char *path = args[4], *kind = args[5] ? args[5] : "noise";
    struct image_writer *writer;
    struct err err;
    struct rng rng = rng_new(1, path);
    info.has_alpha = info.channels == 2 || info.channels == 4;
    info.is_label = info.bits == 32 && strcmp(kind, "labels") == 0;
    enum image_format format = image_format_of_name(path);
    enum image_compression compression =
        strcmp(kind, "plain") == 0 ? IMAGE_DEFLATE : IMAGE_UNCOMPRESSED;
    if (image_create(&writer, path, format, compression, &info, &err))
        stop(&err);
    unsigned char *row = calloc(1, image_row_bytes(&info));
    for (int64_t y = 0; row && y < info.height; y++) {
        if (strcmp(kind, "noise") == 0)
            fill_noise(row, &info, &rng);
        else if (strcmp(kind, "plain") != 0)
            fill_labels(row, &info, y, strcmp(kind, "binary") == 0);
        if (image_write_rows(writer, 1, row, &err))
            stop(&err);
    }
    free(row);
    if (image_commit(writer, &err))
        stop(&err);
    return 0;
}

static void *load(const char *path, struct image_info *info)
{
    void *pixels;
    struct err err;
    if (image_load(path, info, &pixels, &err))
        stop(&err);
    return pixels;
}

static int same(const char *a_path, const char *b_path)
{
    struct image_info a, b;
    void *a_pixels = load(a_path, &a), *b_pixels = load(b_path, &b);
    bool equal = a.width == b.width && a.height == b.height && a.channels == b.channels &&
                 a.bits == b.bits && a.is_label == b.is_label &&
                 memcmp(a_pixels, b_pixels, image_row_bytes(&a) * (size_t)a.height) == 0;
    free(a_pixels);
    free(b_pixels);
    return !equal;
}

static int show(const char *what, char **args)
{
    struct image_info info;
    void *pixels = load(args[0], &info);
    size_t channels = (size_t)info.channels, count = (size_t)(info.width * info.height) * channels;
    double sum = 0;
    if (strcmp(what, "info") == 0)
        printf("%lld %lld %d %d\n", (long long)info.width, (long long)info.height, info.channels,
               info.bits);
    else if (strcmp(what, "at") == 0)
        for (size_t c = 0; c < channels; c++)
            printf("%g%c",
                   value_at(pixels, &info,
                            (size_t)(atol(args[2]) * info.width + atol(args[1])) * channels + c),
                   c + 1 < channels ? ' ' : '\n');
    else {
        for (size_t i = 0; i < count; i++)
            sum += value_at(pixels, &info, i);
        printf("%.6g\n", sum / (double)count);
    }
    free(pixels);
    return 0;
}

static int make_pages(int count, char **args)
{
    uint32_t width = (uint32_t)atol(args[1]), height = (uint32_t)atol(args[2]);
    uint8_t *pixels = malloc((size_t)width * height);
    TIFF *tif = TIFFOpen(args[0], "w");
    if (!pixels || !tif)
        return 1;
    for (int i = 0; i < count; i++) {
        struct tiff_page page = {.width = width,
                                 .height = height,
                                 .photometric = PHOTOMETRIC_MINISBLACK,
                                 .description = i == 0 && *args[3] ? args[3] : NULL,
                                 .unit = RESUNIT_NONE,
                                 .resolution = 2, /* of a unit that the description says */
                                 .pixels = pixels};
        memset(pixels, atoi(args[4 + i]), (size_t)width * height);
        tiff_put_page(tif, &page);
    }
    TIFFClose(tif);
    free(pixels);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 7 && strcmp(argv[1], "pages") == 0)
        return make_pages(argc - 6, argv + 2);
    if (argc >= 7 && strcmp(argv[1], "make") == 0)
        return make(argv + 2);
    if (argc == 4 && strcmp(argv[1], "same") == 0)
        return same(argv[2], argv[3]);
    if ((argc == 3 && (strcmp(argv[1], "info") == 0 || strcmp(argv[1], "mean") == 0)) ||
        (argc == 5 && strcmp(argv[1], "at") == 0))
        return show(argv[1], argv + 2);
    fputs("usage: image make|same|info|at|mean ...\n", stderr);
    return 64;
}
