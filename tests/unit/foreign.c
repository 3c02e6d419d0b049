/* lib/image: images as cameras, ImageJ and other programs write them. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include "image/exif.h"
#include "image/image.h"
#include "tests/files.h"
#include "tests/tap.h"
#include "tests/tiffs.h"

static char folder[] = "/tmp/foreign-test-XXXXXX";
static char path[100];

static const char *in(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The image, new, or NULL after a message. */
static void *load(const char *file, struct image_info *info)
{
    struct err err;
    void *pixels = NULL;
    *info = (struct image_info){0};
    if (image_load(file, info, &pixels, &err))
        printf("# %s\n", err.message);
    return pixels;
}

/* ---- orientation ---- */

/* A stored image of 3 x 2 pixels, and how it is seen when the tag says 1 to 8. */
static const uint8_t stored[6] = {10, 20, 30, 40, 50, 60};
static const struct {
    int width;
    uint8_t seen[6];
} turned[8] = {
    {3, {10, 20, 30, 40, 50, 60}}, {3, {30, 20, 10, 60, 50, 40}}, {3, {60, 50, 40, 30, 20, 10}},
    {3, {40, 50, 60, 10, 20, 30}}, {2, {10, 40, 20, 50, 30, 60}}, {2, {40, 10, 50, 20, 60, 30}},
    {2, {60, 30, 50, 20, 40, 10}}, {2, {30, 60, 20, 50, 10, 40}},
};

static void check_turned(const char *kind, const char *file, int orientation)
{
    struct image_info info;
    uint8_t *pixels = load(file, &info);
    ok(pixels && info.width == turned[orientation - 1].width &&
           memcmp(pixels, turned[orientation - 1].seen, 6) == 0,
       "%s of orientation %d is turned", kind, orientation);
    free(pixels);
}

static void test_turned_tiffs(void)
{
    for (int i = 1; i <= 8; i++) {
        struct tiff_page page = {.width = 3,
                                 .height = 2,
                                 .photometric = PHOTOMETRIC_MINISBLACK,
                                 .orientation = i,
                                 .unit = RESUNIT_CENTIMETER,
                                 .resolution = 20000,
                                 .pixels = stored};
        tiff_put(in("o.tif"), "w", &page, 1);
        check_turned("a TIFF", path, i);
    }
}

/* Orientation is the second of two entries. */
static size_t make_exif(uint8_t *to, int orientation, bool big)
{
    static const uint8_t little_start[] = {'I', 'I', '*', 0, 8, 0, 0, 0, 2, 0};
    static const uint8_t big_start[] = {'M', 'M', 0, '*', 0, 0, 0, 8, 0, 2};
    uint8_t entries[24] = {0};
    memcpy(to, big ? big_start : little_start, 10);
    entries[big ? 1 : 0] = 0x0f;
    entries[!big] = 1; /* the camera's maker */
    entries[12 + big] = 0x12;
    entries[12 + !big] = 1;
    entries[14 + big] = 3;
    entries[16 + (big ? 3 : 0)] = 1;
    entries[20 + big] = (uint8_t)orientation;
    memcpy(to + 10, entries, 24);
    return 34;
}

static void test_exif(void)
{
    uint8_t bytes[40] = {0};
    for (int i = 0; i < 4; i++) {
        size_t size = make_exif(bytes, 6, i % 2);
        is_int(exif_orientation(bytes, size), 6, "Exif says 6");
        is_int(exif_orientation(bytes, 20), 1, "a cut one says nothing");
    }
    make_exif(bytes, 9, false);
    is_int(exif_orientation(bytes, 34), 1, "9 is none");
}

static void put_jpeg(const char *file, const uint8_t *pixels, int width, int height, int channels,
                     J_COLOR_SPACE space, int orientation, bool adobe)
{
    FILE *out = fopen(file, "wb");
    struct jpeg_compress_struct encoder;
    struct jpeg_error_mgr errors;
    uint8_t exif[64] = "Exif\0";
    encoder.err = jpeg_std_error(&errors);
    jpeg_create_compress(&encoder);
    jpeg_stdio_dest(&encoder, out);
    encoder.image_width = (JDIMENSION)width;
    encoder.image_height = (JDIMENSION)height;
    encoder.input_components = channels;
    encoder.in_color_space = space;
    jpeg_set_defaults(&encoder);
    jpeg_set_colorspace(&encoder, space);
    jpeg_set_quality(&encoder, 100, TRUE);
    encoder.write_Adobe_marker = adobe;
    jpeg_start_compress(&encoder, TRUE);
    if (orientation)
        jpeg_write_marker(&encoder, JPEG_APP0 + 1, exif,
                          6 + (unsigned)make_exif(exif + 6, orientation, true));
    for (int y = 0; y < height; y++) {
        JSAMPROW row = (JSAMPROW)pixels + y * width * channels;
        jpeg_write_scanlines(&encoder, &row, 1);
    }
    jpeg_finish_compress(&encoder);
    jpeg_destroy_compress(&encoder);
    fclose(out);
}

/* 16 x 8 pixels, light to the left. */
static void test_turned_jpegs(void)
{
    static const struct {
        int width;
        bool light[2]; /* the first and the last pixel */
    } seen[8] = {{16, {1, 0}}, {16, {0, 1}}, {16, {0, 1}}, {16, {1, 0}},
                 {8, {1, 0}},  {8, {1, 0}},  {8, {0, 1}},  {8, {0, 1}}};
    uint8_t pixels[128];
    for (int i = 0; i < 128; i++)
        pixels[i] = i % 16 < 8 ? 250 : 5;
    for (int i = 1; i <= 8; i++) {
        struct image_info info;
        put_jpeg(in("o.jpg"), pixels, 16, 8, 1, JCS_GRAYSCALE, i, false);
        uint8_t *got = load(path, &info);
        ok(got && info.width == seen[i - 1].width && (got[0] > 128) == seen[i - 1].light[0] &&
               (got[127] > 128) == seen[i - 1].light[1],
           "a JPEG of orientation %d is turned", i);
        free(got);
    }
}

static void put_png(const char *file, int type, const uint8_t *pixels, int width, int height,
                    const png_color *palette, int orientation)
{
    FILE *out = fopen(file, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop chunks = png_create_info_struct(png);
    uint8_t exif[64];
    png_init_io(png, out);
    png_set_IHDR(png, chunks, (png_uint_32)width, (png_uint_32)height, 8, type, 0, 0, 0);
    if (palette)
        png_set_PLTE(png, chunks, palette, 256);
    if (orientation)
        png_set_eXIf_1(png, chunks, (png_uint_32)make_exif(exif, orientation, false), exif);
    png_write_info(png, chunks);
    for (int y = 0; y < height; y++)
        png_write_row(png, pixels + y * width);
    png_write_end(png, chunks);
    png_destroy_write_struct(&png, &chunks);
    fclose(out);
}

static void test_turned_pngs(void)
{
    for (int i = 1; i <= 8; i++) {
        put_png(in("o.png"), PNG_COLOR_TYPE_GRAY, stored, 3, 2, NULL, i);
        check_turned("a PNG", path, i);
    }
}

static void test_rewound(void)
{
    struct image_reader *reader;
    struct err err;
    uint8_t row[3];
    put_png(in("o.png"), PNG_COLOR_TYPE_GRAY, stored, 3, 2, NULL, 6);
    if (!ok(image_open(&reader, path, &err) == 0, "a turned image is opened"))
        return;
    bool pass = true;
    for (int i = 0; i < 2; i++)
        pass &= image_read_rows(reader, 2, (uint8_t[4]){0}, &err) == 0 &&
                image_read_rows(reader, 1, row, &err) == 0 && row[0] == 60 && row[1] == 30 &&
                image_rewind(reader, &err) == 0;
    ok(pass, "and read twice");
    image_close(reader);
}

/* ---- inks ---- */

static void check_near(const char *name, const uint8_t *got, const uint8_t *expected)
{
    bool pass = got != NULL;
    for (int c = 0; pass && c < 3; c++)
        pass = abs(got[c] - expected[c]) <= 3;
    ok(pass, "%s", name);
    if (got && !pass)
        printf("# %d %d %d\n", got[0], got[1], got[2]);
}

static void test_cmyk(void)
{
    uint8_t ink[4 * 64], light[4 * 64];
    static const uint8_t color[4] = {0, 255, 128, 51}, rgb[3] = {204, 0, 102};
    for (int i = 0; i < 4 * 64; i++) {
        ink[i] = color[i % 4];
        light[i] = 255 - color[i % 4];
    }
    struct image_info info;
    put_jpeg(in("c.jpg"), ink, 8, 8, 4, JCS_CMYK, 0, false);
    uint8_t *got = load(path, &info);
    is_int(info.channels, 3, "a CMYK JPEG has three colors");
    check_near("which are those of its inks", got, rgb);
    free(got);
    put_jpeg(in("c.jpg"), light, 8, 8, 4, JCS_CMYK, 0, true);
    got = load(path, &info);
    check_near("Adobe's are stored inverted", got, rgb);
    free(got);
    struct tiff_page page = {
        .width = 8, .height = 8, .samples = 4, .photometric = PHOTOMETRIC_SEPARATED, .pixels = ink};
    tiff_put(in("c.tif"), "w", &page, 1);
    got = load(path, &info);
    ok(info.channels == 3, "a CMYK TIFF has three colors");
    check_near("which are those of its inks, too", got, rgb);
    free(got);
}

/* ---- palettes ---- */

enum { STEPS = 256 };

static const uint8_t indices[4] = {0, 100, 200, 255};

static void check_palette(const char *name, const uint16_t tables[3][STEPS], int channels,
                          const uint8_t *expected)
{
    png_color palette[STEPS];
    struct tiff_page page = {.width = 2,
                             .height = 2,
                             .photometric = PHOTOMETRIC_PALETTE,
                             .red = tables[0],
                             .green = tables[1],
                             .blue = tables[2],
                             .pixels = indices};
    for (int i = 0; i < STEPS; i++)
        palette[i] = (png_color){(png_byte)(tables[0][i] >> 8), (png_byte)(tables[1][i] >> 8),
                                 (png_byte)(tables[2][i] >> 8)};
    put_png(in("p.png"), PNG_COLOR_TYPE_PALETTE, indices, 2, 2, palette, 0);
    tiff_put(in("p.tif"), "w", &page, 1);
    static const char *const names[] = {"p.png", "p.tif"};
    for (int i = 0; i < 2; i++) {
        struct image_info info;
        uint8_t *pixels = load(in(names[i]), &info);
        ok(pixels && info.channels == channels &&
               memcmp(pixels, expected, 4 * (size_t)channels) == 0,
           "%s (%s)", name, names[i]);
        free(pixels);
    }
}

static void test_palettes(void)
{
    static uint16_t ramp[3][STEPS], rainbow[3][STEPS], grays[3][STEPS], colors[3][STEPS];
    uint8_t expected[12];
    for (int i = 0; i < STEPS; i++) {
        ramp[1][i] = (uint16_t)(i * 257); /* "Green" */
        for (int c = 0; c < 3; c++) {
            int hue = (i * 6 + c * 512) % 1536;
            int part = hue < 256 ? hue : hue < 768 ? 255 : hue < 1024 ? 1023 - hue : 0;
            rainbow[c][i] = (uint16_t)(part * 257);
            grays[c][i] = (uint16_t)(i * 37 % 256 * 257);
            colors[c][i] = (uint16_t)((i * (41 + 30 * c) + c * 99) % 256 * 257);
        }
    }
    check_palette("one color's ramp shows intensities", ramp, 1, indices);
    check_palette("a rainbow, too", rainbow, 1, indices);
    for (int i = 0; i < 4; i++)
        expected[i] = (uint8_t)(grays[0][indices[i]] >> 8);
    check_palette("grays in disorder are the image", grays, 1, expected);
    for (int i = 0; i < 12; i++)
        expected[i] = (uint8_t)(colors[i % 3][indices[i / 3]] >> 8);
    check_palette("colors in disorder are the image", colors, 3, expected);
}

/* ---- samples ---- */

static void check_values(const char *name, const struct tiff_page *page, int channels,
                         const double *expected)
{
    static const char *const modes[] = {"wl", "wb"};
    for (int m = 0; m < 2; m++) {
        struct image_info info;
        bool pass = true;
        tiff_put(in("v.tif"), modes[m], page, 1);
        void *pixels = load(path, &info);
        for (int i = 0; pixels && i < 4 * channels; i++) {
            double got = info.bits == 8    ? ((uint8_t *)pixels)[i]
                         : info.bits == 16 ? ((uint16_t *)pixels)[i]
                         : info.is_label   ? ((uint32_t *)pixels)[i]
                                           : (double)((float *)pixels)[i];
            pass &= got == expected[i];
        }
        ok(pixels && pass && info.channels == channels, "%s (%s)", name, modes[m]);
        free(pixels);
    }
}

static struct tiff_page page_of(int bits, int format, int samples, const void *pixels)
{
    return (struct tiff_page){.width = 2,
                              .height = 2,
                              .bits = bits,
                              .format = format,
                              .samples = samples,
                              .photometric = PHOTOMETRIC_MINISBLACK,
                              .pixels = pixels};
}

static void check_type(const char *name, int bits, int format, const void *pixels,
                       const double *expected)
{
    struct tiff_page page = page_of(bits, format, 1, pixels);
    check_values(name, &page, 1, expected);
}

static void test_types(void)
{
    const int sign = SAMPLEFORMAT_INT, real = SAMPLEFORMAT_IEEEFP;
    check_type("signed bytes", 8, sign, (int8_t[]){-128, -1, 0, 127}, (double[]){-128, -1, 0, 127});
    check_type("signed words", 16, sign, (int16_t[]){-32768, -10, 0, 1300},
               (double[]){-32768, -10, 0, 1300});
    check_type("signed integers of 32 bits", 32, sign, (int32_t[]){-70000, -1, 0, 70000},
               (double[]){-70000, -1, 0, 70000});
    check_type("integers of 64 bits", 64, SAMPLEFORMAT_UINT, (uint64_t[]){0, 1, 1ull << 40, 5},
               (double[]){0, 1, 1099511627776.0, 5});
    check_type("halves", 16, real, (uint16_t[]){0x3c00, 0xc000, 0x0001, 0x7bff},
               (double[]){1, -2, 1.0 / (1 << 24), 65504});
    check_type("doubles", 64, real, (double[]){1, -2, 0.5, 1e300},
               (double[]){1, -2, 0.5, HUGE_VAL});
    uint32_t wide[12];
    double expected[12];
    for (int i = 0; i < 12; i++)
        expected[i] = wide[i] = (uint32_t)i * 100000;
    struct tiff_page page = page_of(32, SAMPLEFORMAT_UINT, 3, wide);
    page.photometric = PHOTOMETRIC_RGB;
    check_values("three channels of 32 bits", &page, 3, expected);
}

static void test_white_is_zero(void)
{
    static const uint8_t bytes[4] = {0, 10, 200, 255};
    static const float reals[4] = {79, 163, -2, 0.5f};
    struct tiff_page page = page_of(8, 0, 1, bytes);
    page.photometric = PHOTOMETRIC_MINISWHITE;
    check_values("white is 0", &page, 1, (double[]){255, 245, 55, 0});
    page.description = "ImageJ=1.54f\nmin=0.0\nmax=255.0\n";
    check_values("by ImageJ it is a table for display", &page, 1, (double[]){0, 10, 200, 255});
    page = page_of(32, SAMPLEFORMAT_IEEEFP, 1, reals);
    page.photometric = PHOTOMETRIC_MINISWHITE;
    check_values("and of floats", &page, 1, (double[]){79, 163, -2, 0.5});
}

static void check_extra(const char *name, int photometric, int samples, int kind, int planar,
                        bool has_alpha)
{
    uint8_t pixels[16];
    double expected[16];
    for (int i = 0; i < 4 * samples; i++) {
        int at = planar == PLANARCONFIG_SEPARATE ? i % samples * 4 + i / samples : i;
        pixels[at] = (uint8_t)(i * 11);
        expected[i] = i * 11;
    }
    struct tiff_page page = page_of(8, 0, samples, pixels);
    page.photometric = photometric;
    page.planar = planar;
    page.extra_count = kind >= 0;
    page.extras[0] = (uint16_t)(kind < 0 ? 0 : kind);
    check_values(name, &page, samples, expected);
    struct image_info info;
    free(load(in("v.tif"), &info));
    is_int(info.has_alpha, has_alpha, "which is alpha only if it says so");
}

/* Slides that are called as other TIFFs are, whose tiles must be put together. */
static void test_scanned(void)
{
    static const uint8_t bytes[4] = {0, 10, 200, 255};
    struct tiff_page pages[2] = {page_of(8, 0, 1, bytes), page_of(8, 0, 1, bytes)};
    struct image_info info;
    struct err err;
    void *pixels;
    pages[1].xmp =
        "<?xml version='1.0'?><Metadata><iScan Magnification='40' ScanRes='0.25'/></Metadata>";
    tiff_put(in("scan.tif"), "w", pages, 2);
    ok(image_load(path, &info, &pixels, &err) == -1 && err.status == STATUS_DATA &&
           (strstr(err.message, "slide") || strstr(err.message, "entana")),
       "a slide of Ventana's is none of our TIFFs: %s", err.message);
    pages[0].software = "Philips DP v1.0";
    tiff_put(in("scan.tif"), "w", pages, 1);
    ok(image_load(path, &info, &pixels, &err) == -1 && strstr(err.message, "slide"),
       "nor is one of Philips's: %s", err.message);
    remove(path);
}

static void test_extra_samples(void)
{
    const int gray = PHOTOMETRIC_MINISBLACK, rgb = PHOTOMETRIC_RGB, together = 1, apart = 2;
    check_extra("two channels", gray, 2, EXTRASAMPLE_UNSPECIFIED, together, false);
    check_extra("two channels apart", gray, 2, EXTRASAMPLE_UNSPECIFIED, apart, false);
    check_extra("gray and alpha", gray, 2, EXTRASAMPLE_UNASSALPHA, together, true);
    check_extra("RGB and a channel", rgb, 4, EXTRASAMPLE_UNSPECIFIED, together, false);
    check_extra("RGB and alpha", rgb, 4, EXTRASAMPLE_ASSOCALPHA, apart, true);
}

/* ---- a PNG with more in it than its pixels ---- */

static void put_chunk(FILE *out, const char *name, const uint8_t *bytes, uint32_t size)
{
    uint32_t sum = (uint32_t)crc32(crc32(0, (const Bytef *)name, 4), bytes, size);
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(size >> shift & 255), out);
    fwrite(name, 1, 4, out);
    fwrite(bytes, 1, size, out);
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(sum >> shift & 255), out);
}

/* Rows of 4 pixels, each after its filter's byte; 4 belong to the image.  broken: the sum of the
 * zlib stream is wrong. */
static void put_long_png(const char *file, int rows, bool broken)
{
    static const uint8_t head[13] = {0, 0, 0, 4, 0, 0, 0, 4, 8, 0, 0, 0, 0};
    uint8_t raw[100] = {0}, packed[200];
    uLongf size = sizeof packed;
    for (int i = 0; i < rows * 5; i++)
        raw[i] = i % 5 ? (uint8_t)i : 0;
    compress(packed, &size, raw, (uLong)rows * 5);
    packed[size - 1] ^= broken;
    FILE *out = fopen(file, "wb");
    fwrite("\x89PNG\r\n\x1a\n", 1, 8, out);
    put_chunk(out, "IHDR", head, 13);
    put_chunk(out, "IDAT", packed, (uint32_t)size);
    put_chunk(out, "IEND", packed, 0);
    fclose(out);
}

static void test_long_pngs(void)
{
    struct image_info info;
    for (int rows = 4; rows <= 6; rows++) {
        put_long_png(in("l.png"), rows, false);
        uint8_t *pixels = load(path, &info);
        ok(pixels && pixels[15] == 19, "%d rows in a PNG of 4", rows);
        free(pixels);
    }
    put_long_png(in("l.png"), 4, true);
    ok(load(path, &info) == NULL, "a wrong sum is an error");
    put_long_png(in("l.png"), 3, false);
    ok(load(path, &info) == NULL, "a missing row, too");
}

int main(void)
{
    tap_plan(91);
    if (!ok(mkdtemp(folder) != NULL, "a folder"))
        return tap_done();
    test_turned_tiffs();
    test_exif();
    test_turned_jpegs();
    test_turned_pngs();
    test_rewound();
    test_cmyk();
    test_palettes();
    test_types();
    test_white_is_zero();
    test_scanned();
    test_extra_samples();
    test_long_pngs();
    char command[200];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command) ? 1 : tap_done();
}
