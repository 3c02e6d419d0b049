/* lib/image/mask: masks as other programs write them, each read in all three ways. */
#include "image/mask.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

#include "core/notice.h"
#include "tests/tap.h"
#include "tests/tiffs.h"

enum { WIDTH = 90, HEIGHT = 70, COUNT = WIDTH * HEIGHT };

static char folder[] = "/tmp/mask-test-XXXXXX";
static char path[100];
static char said[600];       /* the last notice */
static const char *software; /* of the next TIFF, NULL: not said */

static void hear(const char *text)
{
    snprintf(said, sizeof said, "%s", text);
}

static const char *in(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* ---- what is drawn ---- */

/* Whether a place is in a disc. */
static bool in_disc(double x, double y)
{
    return (x - 40) * (x - 40) + (y - 30) * (y - 30) < 20 * 20;
}

static uint32_t disc(int x, int y)
{
    return in_disc(x, y) ? 255 : 0;
}

/* How much of a pixel the disc covers, 0 to 1. */
static double covered(int x, int y)
{
    int inside = 0;
    for (int i = 0; i < 64; i++)
        inside += in_disc(x + (i % 8 - 3.5) / 8, y + (i / 8 - 3.5) / 8);
    return inside / 64.0;
}

static uint32_t smooth_disc(int x, int y)
{
    return (uint32_t)(covered(x, y) * 255 + 0.5);
}

static uint32_t cut_disc(int x, int y)
{
    return smooth_disc(x, y) >= 128 ? 255 : 0;
}

/* Cells of 5 x 7 pixels: labels 1 to 180. */
static uint32_t cells(int x, int y)
{
    return (uint32_t)(x / 5 + y / 7 * 18) + 1;
}

/* A background, a line about the disc and the disc. */
static uint32_t three_classes(int x, int y)
{
    double d = (x - 40) * (x - 40) + (y - 30) * (y - 30);
    return d < 19 * 19 ? 255 : d < 20 * 20 ? 128 : 0;
}

typedef uint32_t draw(int x, int y);

static void fill8(uint8_t *to, draw *pixel)
{
    for (int i = 0; i < COUNT; i++)
        to[i] = (uint8_t)pixel(i % WIDTH, i / WIDTH);
}

/* ---- files: each a new one, since a run does not replace what it wrote ---- */

static const char *next_name(const char *ending)
{
    static int count;
    static char name[32];
    snprintf(name, sizeof name, "%d.%s", ++count, ending);
    return in(name);
}

static const char *put_gray(draw *pixel)
{
    uint8_t pixels[COUNT];
    struct err err;
    struct image_info info = {.width = WIDTH, .height = HEIGHT, .channels = 1, .bits = 8};
    fill8(pixels, pixel);
    ok(image_save(next_name("png"), &info, pixels, &err) == 0, "a mask is written");
    return path;
}

/* RGB or RGBA of 8 bits, a color for each value. */
static const char *put_colors(draw *pixel, const uint8_t (*colors)[4], int channels)
{
    uint8_t *pixels = malloc(COUNT * 4);
    struct err err;
    struct image_info info = {.width = WIDTH,
                              .height = HEIGHT,
                              .channels = channels,
                              .bits = 8,
                              .has_alpha = channels == 4};
    for (int i = 0; i < COUNT; i++)
        memcpy(pixels + i * channels, colors[pixel(i % WIDTH, i / WIDTH)], (size_t)channels);
    ok(image_save(next_name("png"), &info, pixels, &err) == 0, "a mask in color is written");
    free(pixels);
    return path;
}

static const char *put_palette(draw *index, const png_color *palette, int count)
{
    FILE *file = fopen(next_name("png"), "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop chunks = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, chunks, WIDTH, HEIGHT, 8, PNG_COLOR_TYPE_PALETTE, 0, 0, 0);
    png_set_PLTE(png, chunks, palette, count);
    png_write_info(png, chunks);
    for (int y = 0; y < HEIGHT; y++) {
        png_byte row[WIDTH];
        for (int x = 0; x < WIDTH; x++)
            row[x] = (png_byte)index(x, y);
        png_write_row(png, row);
    }
    png_write_end(png, chunks);
    png_destroy_write_struct(&png, &chunks);
    fclose(file);
    return path;
}

static const char *put_jpeg(draw *pixel, int quality)
{
    FILE *file = fopen(next_name("jpg"), "wb");
    struct jpeg_compress_struct encoder;
    struct jpeg_error_mgr errors;
    encoder.err = jpeg_std_error(&errors);
    jpeg_create_compress(&encoder);
    jpeg_stdio_dest(&encoder, file);
    encoder.image_width = WIDTH;
    encoder.image_height = HEIGHT;
    encoder.input_components = 1;
    encoder.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&encoder);
    jpeg_set_quality(&encoder, quality, TRUE);
    jpeg_start_compress(&encoder, TRUE);
    for (int y = 0; y < HEIGHT; y++) {
        JSAMPLE row[WIDTH];
        JSAMPROW rows = row;
        for (int x = 0; x < WIDTH; x++)
            row[x] = (JSAMPLE)pixel(x, y);
        jpeg_write_scanlines(&encoder, &rows, 1);
    }
    jpeg_finish_compress(&encoder);
    jpeg_destroy_compress(&encoder);
    fclose(file);
    return path;
}

static const char *put_tiff(int bits, int format, int photometric, const void *pixels)
{
    struct tiff_page page = {.width = WIDTH,
                             .height = HEIGHT,
                             .bits = bits,
                             .format = format,
                             .photometric = photometric,
                             .software = software,
                             .pixels = pixels};
    tiff_put(next_name("tif"), "w", &page, 1);
    return path;
}

/* ---- checks ---- */

static bool by_rows(const char *file, uint32_t *labels, uint32_t *white)
{
    struct mask mask;
    struct err err;
    bool pass = mask_open(&mask, file, &err) == 0 && mask_examine(&mask, &err) == 0 &&
                mask_read32(&mask, 11, labels, &err) == 0 &&
                mask_read32(&mask, HEIGHT - 11, labels + 11 * WIDTH, &err) == 0;
    *white = mask.white;
    mask_close(&mask);
    if (!pass)
        printf("# %s\n", err.message);
    return pass;
}

/* The mask has the labels `expected` draws; white: what is said of black and white. */
static void check(const char *name, const char *file, draw *expected, uint32_t white)
{
    static uint32_t rows[COUNT];
    struct image_info info;
    struct err err;
    uint32_t *labels = NULL, got = 0;
    uint8_t *mask = NULL;
    said[0] = '\0';
    bool pass = by_rows(file, rows, &got) && mask_load_labels(file, &info, &labels, &err) == 0 &&
                mask_load(file, &info, &mask, &err) == 0;
    for (int i = 0; pass && i < COUNT; i++) {
        uint32_t label = expected(i % WIDTH, i / WIDTH);
        if (rows[i] == label && labels[i] == label && mask[i] == (label != 0))
            continue;
        printf("# at %d, %d: %u, %u, %d, not %u\n", i % WIDTH, i / WIDTH, rows[i], labels[i],
               mask[i], label);
        pass = false;
    }
    ok(pass, "%s", name);
    is_int(got, white, "what white is");
    free(labels);
    free(mask);
}

static void check_refused(const char *name, const char *file, const char *word)
{
    struct image_info info;
    struct err err = {0};
    uint32_t *labels = NULL, white;
    ok(!by_rows(file, malloc(COUNT * sizeof *labels), &white) &&
           mask_load_labels(file, &info, &labels, &err) == -1 && err.status == STATUS_DATA &&
           strstr(err.message, word),
       "%s (%s)", name, err.message);
}

static void check_said(const char *words)
{
    ok(strstr(said, words) != NULL, "which is said: %s", said);
}

static void check_silent(void)
{
    ok(!said[0], "nothing is said of it%s%s", said[0] ? ": " : "", said);
}

/* ---- gray ---- */

static void test_gray(void)
{
    check("labels", put_gray(cells), cells, 0);
    check_silent();
    check("black and white", put_gray(disc), disc, 255);
    check_silent();
    check("smoothed edges", put_gray(smooth_disc), cut_disc, 255);
    check_said("between black and white");
    check("a line of a class is none", put_gray(three_classes), three_classes, 0);
    check_silent();
    check("a JPEG", put_jpeg(disc, 75), disc, 255);
    check_said("between black and white");
    check_refused("a JPEG of labels", put_jpeg(cells, 100), "a JPEG keeps no labels");
}

static uint32_t few_cells(int x, int y)
{
    return x < 45 ? 1 : y < 30 ? 2 : 3;
}

static void test_dark_jpeg(void)
{
    check_refused("a JPEG of three labels", put_jpeg(few_cells, 100), "a JPEG keeps no labels");
}

static uint32_t noise(int x, int y)
{
    uint32_t v = (uint32_t)(x * 7919 + y * 104729 + x * y * 31);
    return 60 + (v ^ v >> 5) % 120;
}

static void test_picture(void)
{
    check("a picture is read as it is", put_gray(noise), noise, 0);
    check_said("looks like a picture");
}

/* ---- colors ---- */

static uint32_t binary(int x, int y)
{
    return in_disc(x, y);
}

static uint32_t thirds(int x, int y)
{
    (void)y;
    return (uint32_t)x / 30;
}

static uint32_t thirds_gray(int x, int y)
{
    return thirds(x, y) * 100;
}

static void test_colors(void)
{
    static const uint8_t gray[3][4] = {{0, 0, 0, 255}, {100, 100, 100, 255}, {200, 200, 200, 255}};
    static const uint8_t red[2][4] = {{0, 0, 0, 255}, {255, 0, 0, 255}};
    static const uint8_t three[3][4] = {{0, 0, 0, 255}, {255, 0, 0, 255}, {0, 255, 0, 255}};
    static const uint8_t alpha[2][4] = {{9, 9, 9, 0}, {9, 9, 9, 255}};
    static const uint8_t hidden[2][4] = {{255, 255, 255, 0}, {200, 200, 200, 255}};
    static const uint8_t drawn[2][4] = {{255, 255, 255, 0}, {0, 200, 0, 255}};
    check("gray in three channels", put_colors(thirds, gray, 3), thirds_gray, 0);
    check("one color on black", put_colors(binary, red, 3), disc, 255);
    check_refused("three colors", put_colors(thirds, three, 3), "a mask in colors");
    check("opaque gray", put_colors(thirds, gray, 4), thirds_gray, 0);
    check("a mask in alpha", put_colors(binary, alpha, 4), disc, 255);
    check_said("alpha");
    check("a color on what is not seen", put_colors(binary, drawn, 4), disc, 255);
    put_colors(binary, hidden, 4);
    struct mask mask;
    struct err err;
    uint32_t row[WIDTH];
    ok(mask_open(&mask, path, &err) == 0 && mask_examine(&mask, &err) == 0 &&
           mask_read32(&mask, 1, row, &err) == 0 && row[0] == 0,
       "what is transparent is nothing");
    mask_close(&mask);
}

/* ---- palettes ---- */

static uint32_t outside(int x, int y)
{
    return !in_disc(x, y);
}

static uint32_t quantized(int x, int y)
{
    static const uint32_t index[] = {3, 1, 0, 4, 2};
    return index[(int)(covered(x, y) * 4 + 0.5)];
}

static uint32_t quantized_cut(int x, int y)
{
    return (int)(covered(x, y) * 4 + 0.5) >= 2 ? 255 : 0;
}

static uint32_t permuted(int x, int y)
{
    return (thirds(x, y) + 1) % 3;
}

static uint32_t permuted_back(int x, int y)
{
    uint32_t index = permuted(x, y);
    return index == 1 ? 0 : index == 0 ? 1 : index;
}

static void test_palettes(void)
{
    static const png_color white_first[] = {{255, 255, 255}, {0, 0, 0}};
    static const png_color black_first[] = {{0, 0, 0}, {255, 255, 255}};
    static const png_color classes[] = {{0, 0, 0}, {128, 0, 0}, {0, 128, 0}};
    static const png_color black_later[] = {{128, 0, 0}, {0, 0, 0}, {0, 128, 0}};
    static const png_color grays[] = {
        {128, 128, 128}, {64, 64, 64}, {255, 255, 255}, {0, 0, 0}, {192, 192, 192}};
    check("indices are classes", put_palette(thirds, classes, 3), thirds, 0);
    check_silent();
    check("black and white in order", put_palette(binary, black_first, 2), binary, 0);
    check("white before black", put_palette(outside, white_first, 2), disc, 255);
    check("black is nothing", put_palette(permuted, black_later, 3), permuted_back, 0);
    check_said("black");
    check("quantized smooth edges", put_palette(quantized, grays, 5), quantized_cut, 255);
    check_said("between black and white");
}

/* ---- TIFF ---- */

static uint32_t large(int x, int y)
{
    return in_disc(x, y) ? 70000 : 0;
}

static void test_floats(void)
{
    static float values[COUNT];
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)large(i % WIDTH, i / WIDTH);
    const int format = SAMPLEFORMAT_IEEEFP, black = PHOTOMETRIC_MINISBLACK;
    check("float labels", put_tiff(32, format, black, values), large, 0);
    check("an inverting table changes no labels",
          put_tiff(32, format, PHOTOMETRIC_MINISWHITE, values), large, 0);
    values[0] = NAN;
    values[1] = -1;
    check("NaN and -1 are nothing", put_tiff(32, format, black, values), large, 0);
    check_said("NaN or -1");
    values[2] = -7;
    check_refused("a label of -7", put_tiff(32, format, black, values), "-7");
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)binary(i % WIDTH, i / WIDTH);
    check("0 and 1", put_tiff(32, format, black, values), binary, 0);
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)disc(i % WIDTH, i / WIDTH);
    check("0 and 255", put_tiff(32, format, black, values), disc, 255);
    for (int i = 0; i < COUNT; i++)
        values[i] *= 257;
    check("0 and 65535", put_tiff(32, format, black, values), disc, 255);
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)covered(i % WIDTH, i / WIDTH);
    check("smooth edges between 0 and 1", put_tiff(32, format, black, values), cut_disc, 255);
    check_said("cut at 0.5");
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)noise(i % WIDTH, i / WIDTH) / 200;
    check_refused("probabilities", put_tiff(32, format, black, values), "fractions");
}

static void test_integers(void)
{
    static int32_t values[COUNT];
    static int64_t wide[COUNT];
    for (int i = 0; i < COUNT; i++)
        wide[i] = values[i] = (int32_t)large(i % WIDTH, i / WIDTH);
    values[0] = -1;
    check("a label of -1 is nothing",
          put_tiff(32, SAMPLEFORMAT_INT, PHOTOMETRIC_MINISBLACK, values), large, 0);
    check_said("-1");
    check("64 bits", put_tiff(64, SAMPLEFORMAT_INT, PHOTOMETRIC_MINISBLACK, wide), large, 0);
    wide[0] = INT64_C(1) << 32;
    for (int i = 0; i < COUNT; i++)
        values[i] = (int32_t)disc(i % WIDTH, i / WIDTH);
    check("0 and 255 in 32 bits", put_tiff(32, SAMPLEFORMAT_INT, PHOTOMETRIC_MINISBLACK, values),
          disc, 255);
    for (int i = 0; i < COUNT; i++)
        values[i] = values[i] ? -1 : 0;
    check("all bits of 32", put_tiff(32, SAMPLEFORMAT_UINT, PHOTOMETRIC_MINISBLACK, values), disc,
          255);
    check_refused("more than 32 bits", put_tiff(64, SAMPLEFORMAT_INT, PHOTOMETRIC_MINISBLACK, wide),
                  "32 bits");
}

static uint32_t not_binary(int x, int y)
{
    return x < WIDTH / 2 ? 0 : y >= 0;
}

static void test_white_is_zero(void)
{
    static uint8_t values[COUNT], bits[HEIGHT * 12];
    fill8(values, disc);
    check("ImageJ's inverting table", put_tiff(8, 0, PHOTOMETRIC_MINISWHITE, values), disc, 255);
    memset(bits, 0, sizeof bits); /* black, so 1, to the left */
    for (int i = 0; i < COUNT; i++)
        if (i % WIDTH < WIDTH / 2)
            bits[i / WIDTH * 12 + i % WIDTH / 8] |= (uint8_t)(0x80 >> i % WIDTH % 8);
    check("a bit whose white is 0", put_tiff(1, 0, PHOTOMETRIC_MINISWHITE, bits), not_binary, 0);
    for (size_t i = 0; i < sizeof bits; i++)
        bits[i] ^= 0xff;
    software = "tifffile.py";
    check("but not of truth values by tifffile", put_tiff(1, 0, PHOTOMETRIC_MINISWHITE, bits),
          not_binary, 0);
    software = NULL;
}

int main(void)
{
    tap_plan(93);
    if (!ok(mkdtemp(folder) != NULL, "a folder"))
        return tap_done();
    notice_to(hear);
    test_gray();
    test_dark_jpeg();
    test_picture();
    test_colors();
    test_palettes();
    test_floats();
    test_integers();
    test_white_is_zero();
    char command[200];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command) ? 1 : tap_done();
}
