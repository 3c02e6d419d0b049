/* Images in and out: what is written comes back, what others write is read as
 * they mean it, and what is cut, absurd or unwritable is refused. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

#include <jpeglib.h>

#include "core/guard.h"
#include "core/limits.h"
#include "image/image.h"
#include "tests/files.h"
#include "tests/tap.h"

static char folder[] = "/tmp/image-test-XXXXXX";
static char name_buffer[256];

static const char *in_folder(const char *name)
{
    snprintf(name_buffer, sizeof name_buffer, "%s/%s", folder, name);
    return name_buffer;
}

static unsigned value_at(long x, long y, int c)
{
    return (unsigned)(x * 7 + y * 13 + c * 101 + x * y / 3);
}

static void fill(const struct image_info *info, void *pixels)
{
    size_t i = 0;
    for (long y = 0; y < info->height; y++)
        for (long x = 0; x < info->width; x++)
            for (int c = 0; c < info->channels; c++, i++) {
                unsigned v = value_at(x, y, c);
                if (info->bits == 8)
                    ((uint8_t *)pixels)[i] = (uint8_t)v;
                else if (info->bits == 16)
                    ((uint16_t *)pixels)[i] = (uint16_t)(v * 31);
                else if (info->is_label)
                    ((uint32_t *)pixels)[i] = v * 70001;
                else
                    ((float *)pixels)[i] = (float)v / 3;
            }
}

/* ---- what we write comes back ---- */

static bool round_trip(struct image_info info, const char *name, enum image_compression compression)
{
    struct err err = {0};
    const char *path = in_folder(name);
    size_t row = image_row_bytes(&info), size = row * (size_t)info.height;
    uint8_t *pixels = malloc(size);
    void *back = NULL;
    struct image_writer *writer;
    struct image_info got = {0};
    bool same = false;
    fill(&info, pixels);
    if (guard_rewrites(path, &err) == 0 &&
        image_create(&writer, path, image_format_of_name(path), compression, &info, &err) == 0) {
        int64_t part = info.height / 3; /* in two uneven writes */
        bool written =
            image_write_rows(writer, part, pixels, &err) == 0 &&
            image_write_rows(writer, info.height - part, pixels + (size_t)part * row, &err) == 0;
        if (written && image_commit(writer, &err) == 0 && image_load(path, &got, &back, &err) == 0)
            same = memcmp(pixels, back, size) == 0;
    }
    same = same && got.width == info.width && got.channels == info.channels &&
           got.has_alpha == info.has_alpha && got.bits == info.bits &&
           got.is_label == info.is_label;
    if (!same)
        printf("# %s\n", err.message);
    free(pixels);
    free(back);
    return same;
}

static void test_round_trips(void)
{
    static const enum image_compression all[] = {IMAGE_UNCOMPRESSED, IMAGE_DEFLATE, IMAGE_LZW};
    static const int sides[][2] = {{1, 1}, {37, 23}, {700, 1100}};
    for (int s = 0; s < 3; s++)
        for (int channels = 1; channels <= 5; channels++)
            for (int bits = 8; bits <= 32; bits *= 2) {
                struct image_info info = {.width = sides[s][0],
                                          .height = sides[s][1],
                                          .channels = channels,
                                          .bits = bits};
                bool pass = true;
                for (int c = 0; c < 3; c++)
                    pass &= round_trip(info, "a.tif", all[c]);
                info.has_alpha = channels == 2 || channels == 4;
                pass &= round_trip(info, "a.tif", IMAGE_LZW);
                if (channels <= 4 && bits < 32)
                    pass &= round_trip(info, "a.png", IMAGE_DEFAULT_COMPRESSION);
                ok(pass, "%d x %d, %d channels of %d bits come back", sides[s][0], sides[s][1],
                   channels, bits);
            }
    struct image_info labels = {
        .width = 41, .height = 29, .channels = 1, .bits = 32, .is_label = true};
    ok(round_trip(labels, "l.tif", IMAGE_DEFLATE), "32-bit labels come back");
}

static void test_pixel_size(void)
{
    static const char *const names[] = {"p.tif", "p.png"};
    for (int i = 0; i < 2; i++) {
        struct err err = {0};
        struct image_info info = {.width = 4,
                                  .height = 4,
                                  .channels = 1,
                                  .bits = 8,
                                  .pixel_width = 0.325,
                                  .pixel_height = 0.65};
        uint8_t pixels[16] = {0};
        void *back = NULL;
        struct image_info got = {0};
        ok(guard_rewrites(in_folder(names[i]), &err) == 0 &&
               image_save(in_folder(names[i]), &info, pixels, &err) == 0 &&
               image_load(in_folder(names[i]), &got, &back, &err) == 0,
           "%s is saved and loaded", names[i]);
        is_near(got.pixel_width, 0.325, 1e-6, "the width of a pixel comes back");
        is_near(got.pixel_height, 0.65, 1e-6, "the height of a pixel comes back");
        free(back);
    }
}

/* ---- TIFFs as others write them ---- */

struct variant {
    const char *name, *mode;
    int bits, samples;
    uint16_t photometric, compression, planar;
    int tile; /* 0: strips */
    int format;
};

/* The sample that a variant stores at a place, and what must be delivered. */
static unsigned stored(const struct variant *v, long x, long y, int c)
{
    unsigned max = v->bits >= 32 ? 0xffffffffu : (1u << v->bits) - 1;
    return value_at(x, y, c) * (v->bits > 8 ? 31u : 1u) & max;
}

static unsigned delivered(const struct variant *v, long x, long y, int c)
{
    unsigned value = stored(v, x, y, c), max = (1u << (v->bits & 31)) - 1;
    if (v->photometric == PHOTOMETRIC_MINISWHITE)
        value = max - value;
    return v->bits < 8 ? (value * 255 + max / 2) / max : value;
}

static void put_bits(uint8_t *row, size_t index, int bits, unsigned value)
{
    uint8_t *whole = row + index * (size_t)(bits / 8);
    if (bits == 8)
        *whole = (uint8_t)value;
    else if (bits == 16)
        memcpy(whole, &(uint16_t){(uint16_t)value}, 2);
    else if (bits == 32)
        memcpy(whole, &value, 4);
    else
        for (int b = 0; b < bits; b++) {
            size_t at = index * (size_t)bits + (size_t)b;
            if (value >> (bits - 1 - b) & 1)
                row[at / 8] |= (uint8_t)(0x80 >> at % 8);
        }
}

enum { WIDTH = 53, HEIGHT = 47 };

static void set_variant(TIFF *tif, const struct variant *v)
{
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, HEIGHT);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, v->bits);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, v->samples);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, v->photometric);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, v->compression);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, v->planar);
    TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT, v->format);
    if (v->tile) {
        TIFFSetField(tif, TIFFTAG_TILEWIDTH, v->tile);
        TIFFSetField(tif, TIFFTAG_TILELENGTH, v->tile);
    } else {
        TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, 10);
    }
}

/* The block at x0, y0 of one plane, or of all channels interleaved. */
static void fill_block(const struct variant *v, uint8_t *block, size_t row_bytes, long x0, long y0,
                       long width, long height, int plane)
{
    int first = v->planar == PLANARCONFIG_SEPARATE ? plane : 0;
    int count = v->planar == PLANARCONFIG_SEPARATE ? 1 : v->samples;
    for (long y = 0; y < height; y++)
        for (long x = 0; x < width; x++)
            for (int c = 0; c < count; c++)
                put_bits(block + (size_t)y * row_bytes, (size_t)(x * count + c), v->bits,
                         stored(v, x0 + x, y0 + y, first + c));
}

static void write_variant(const struct variant *v, const char *path)
{
    TIFF *tif = TIFFOpen(path, v->mode);
    set_variant(tif, v);
    int planes = v->planar == PLANARCONFIG_SEPARATE ? v->samples : 1;
    long across = v->tile ? v->tile : WIDTH, down = v->tile ? v->tile : 10;
    size_t row = (size_t)(v->tile ? TIFFTileRowSize(tif) : TIFFScanlineSize(tif));
    size_t size = row * (size_t)down;
    for (int plane = 0; plane < planes; plane++)
        for (long y = 0; y < HEIGHT; y += down)
            for (long x = 0; x < WIDTH; x += across) {
                uint8_t *block = calloc(size, 1);
                long rows = !v->tile && HEIGHT - y < down ? HEIGHT - y : down;
                fill_block(v, block, row, x, y, across, rows, plane);
                if (v->tile)
                    TIFFWriteEncodedTile(
                        tif, TIFFComputeTile(tif, (uint32_t)x, (uint32_t)y, 0, (uint16_t)plane),
                        block, (tmsize_t)size);
                else
                    TIFFWriteEncodedStrip(tif, TIFFComputeStrip(tif, (uint32_t)y, (uint16_t)plane),
                                          block, (tmsize_t)(row * (size_t)rows));
                free(block);
            }
    TIFFClose(tif);
}

static bool same_as_variant(const struct variant *v, const struct image_info *info,
                            const void *pixels)
{
    size_t i = 0;
    for (long y = 0; y < HEIGHT; y++)
        for (long x = 0; x < WIDTH; x++)
            for (int c = 0; c < v->samples; c++, i++) {
                unsigned got = info->bits == 8    ? ((const uint8_t *)pixels)[i]
                               : info->bits == 16 ? ((const uint16_t *)pixels)[i]
                                                  : ((const uint32_t *)pixels)[i];
                if (got != delivered(v, x, y, c)) {
                    printf("# x %ld y %ld channel %d: %u\n", x, y, c, got);
                    return false;
                }
            }
    return true;
}

#define GRAY  PHOTOMETRIC_MINISBLACK
#define WHITE PHOTOMETRIC_MINISWHITE
#define RGB   PHOTOMETRIC_RGB
#define UINT  SAMPLEFORMAT_UINT

static void test_variants(void)
{
    static const struct variant variants[] = {
        {"strips", "wl", 8, 1, GRAY, COMPRESSION_NONE, 1, 0, UINT},
        {"big-endian 16 bits", "wb", 16, 1, GRAY, COMPRESSION_NONE, 1, 0, UINT},
        {"big-endian Deflate", "wb", 16, 3, RGB, COMPRESSION_ADOBE_DEFLATE, 1, 0, UINT},
        {"BigTIFF", "w8", 16, 1, GRAY, COMPRESSION_LZW, 1, 0, UINT},
        {"tiles", "wl", 8, 3, RGB, COMPRESSION_LZW, 1, 16, UINT},
        {"planes", "wl", 8, 3, RGB, COMPRESSION_NONE, 2, 0, UINT},
        {"compressed planes", "wl", 16, 4, RGB, COMPRESSION_PACKBITS, 2, 0, UINT},
        {"tiled planes", "wb", 16, 3, RGB, COMPRESSION_ADOBE_DEFLATE, 2, 32, UINT},
        {"1 bit", "wl", 1, 1, GRAY, COMPRESSION_NONE, 1, 0, UINT},
        {"1 bit, white is 0", "wl", 1, 1, WHITE, COMPRESSION_CCITTFAX4, 1, 0, UINT},
        {"2 bits, tiled", "wl", 2, 1, GRAY, COMPRESSION_NONE, 1, 16, UINT},
        {"4 bits", "wl", 4, 1, GRAY, COMPRESSION_LZW, 1, 0, UINT},
        {"8 bits, white is 0", "wl", 8, 1, WHITE, COMPRESSION_NONE, 1, 0, UINT},
        {"10 bits", "wl", 10, 3, RGB, COMPRESSION_NONE, 1, 0, UINT},
        {"12 bits", "wb", 12, 1, GRAY, COMPRESSION_LZW, 1, 0, UINT},
        {"14 bits, white is 0", "wl", 14, 1, WHITE, COMPRESSION_NONE, 1, 0, UINT},
        {"16 bits, white is 0", "wl", 16, 1, WHITE, COMPRESSION_NONE, 1, 0, UINT},
        {"32-bit labels", "wb", 32, 1, GRAY, COMPRESSION_NONE, 1, 0, UINT},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const struct variant *v = &variants[i];
        struct err err = {0};
        struct image_info info;
        void *pixels = NULL;
        const char *path = in_folder("v.tif");
        write_variant(v, path);
        bool pass = image_load(path, &info, &pixels, &err) == 0;
        if (!ok(pass && same_as_variant(v, &info, pixels), "TIFF: %s", v->name))
            printf("# %s\n", err.message);
        int significant = v->bits < 8 ? 8 : v->bits;
        if (pass)
            is_int(info.significant_bits, significant, "its significant bits");
        free(pixels);
    }
}

static void test_negative_labels(void)
{
    struct err err = {0};
    struct image_info info;
    void *pixels;
    int32_t row[4] = {0, 1, -1, 70000};
    TIFF *tif = TIFFOpen(in_folder("n.tif"), "w");
    static const struct variant v = {"", "", 32, 1, GRAY, COMPRESSION_NONE, 1, 0, SAMPLEFORMAT_INT};
    set_variant(tif, &v);
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, 4);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, 1);
    TIFFWriteEncodedStrip(tif, 0, row, sizeof row);
    TIFFClose(tif);
    ok(image_load(in_folder("n.tif"), &info, &pixels, &err) == 0 && !info.is_label &&
           ((float *)pixels)[2] == -1 && ((float *)pixels)[3] == 70000,
       "an image keeps its sign");
    free(pixels);
    ok(image_load_labels(in_folder("n.tif"), &info, &pixels, &err) == 0 && info.is_label &&
           ((uint32_t *)pixels)[2] == 0 && ((uint32_t *)pixels)[3] == 70000,
       "of labels -1 is nothing");
    free(pixels);
    row[2] = -2;
    tif = TIFFOpen(in_folder("n.tif"), "w");
    set_variant(tif, &v);
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, 4);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, 1);
    TIFFWriteEncodedStrip(tif, 0, row, sizeof row);
    TIFFClose(tif);
    is_int(image_load_labels(in_folder("n.tif"), &info, &pixels, &err), -1, "a label of -2");
    is_int(err.status, STATUS_DATA, "is bad data");
}

static void write_page(TIFF *tif, uint32_t side, uint8_t value, int subimages)
{
    uint8_t row[64];
    memset(row, value, sizeof row);
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, side);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, side);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    if (subimages)
        TIFFSetField(tif, TIFFTAG_SUBIFD, subimages, (uint64_t[4]){0});
    for (uint32_t y = 0; y < side; y++)
        TIFFWriteScanline(tif, row, y, 0);
    TIFFWriteDirectory(tif);
}

static void check_page(const char *name, int side, int value)
{
    struct err err = {0};
    struct image_info info = {0};
    void *pixels = NULL;
    bool pass = image_load(in_folder("m.tif"), &info, &pixels, &err) == 0;
    ok(pass && info.width == side && *(uint8_t *)pixels == value, "%s", name);
    free(pixels);
}

static void test_pages(void)
{
    TIFF *tif = TIFFOpen(in_folder("m.tif"), "w");
    write_page(tif, 16, 1, 0);
    write_page(tif, 64, 2, 0);
    write_page(tif, 32, 4, 0);
    TIFFClose(tif);
    check_page("of a page and its smaller copies the largest is read", 64, 2);
    tif = TIFFOpen(in_folder("m.tif"), "w");
    write_page(tif, 64, 5, 2);
    write_page(tif, 32, 6, 0);
    write_page(tif, 16, 7, 0);
    TIFFClose(tif);
    check_page("a pyramid gives its full resolution", 64, 5);
    tif = TIFFOpen(in_folder("m.tif"), "w");
    write_page(tif, 16, 8, 1);
    write_page(tif, 64, 9, 0);
    TIFFClose(tif);
    check_page("a preview with a larger sub-image gives the sub-image", 64, 9);
}

/* Puts a resolution unit that libtiff does not write into the file's only directory. */
static void patch_unit(const char *file, int unit)
{
    static uint8_t bytes[1 << 14];
    size_t size = get_file(file, bytes, sizeof bytes);
    uint32_t at;
    memcpy(&at, bytes + 4, sizeof at);
    for (size_t entry = at + 2; entry + 12 <= size; entry += 12)
        if (bytes[entry] == 0x28 && bytes[entry + 1] == 0x01 && bytes[entry + 2] == 3)
            bytes[entry + 8] = (uint8_t)unit;
    put_file(file, bytes, size);
}

static void check_size_tags(const char *name, const char *description, float x, int unit,
                            double expected)
{
    struct err err = {0};
    struct image_info info = {0};
    void *pixels = NULL;
    const char *file = in_folder("s.tif");
    TIFF *tif = TIFFOpen(file, "w");
    if (description)
        TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, description);
    TIFFSetField(tif, TIFFTAG_XRESOLUTION, x);
    TIFFSetField(tif, TIFFTAG_YRESOLUTION, x);
    TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, unit > RESUNIT_CENTIMETER ? RESUNIT_NONE : unit);
    write_page(tif, 4, 0, 0);
    TIFFClose(tif);
    if (unit > RESUNIT_CENTIMETER)
        patch_unit(file, unit);
    bool pass = image_load(file, &info, &pixels, &err) == 0;
    is_near(pass ? info.pixel_width : -1, expected, 1e-6 * (1 + expected), name);
    free(pixels);
}

static void test_size_tags(void)
{
    check_size_tags("pixels per centimeter", NULL, 20000, RESUNIT_CENTIMETER, 0.5);
    check_size_tags("pixels per inch", NULL, 50800, RESUNIT_INCH, 0.5);
    check_size_tags("72 dpi says nothing", NULL, 72, RESUNIT_INCH, 0);
    check_size_tags("600 dpi says nothing", NULL, 600, RESUNIT_INCH, 0);
    check_size_tags("4800 dpi says nothing", NULL, 4800, RESUNIT_INCH, 0);
    check_size_tags("236.22 a centimeter says nothing", NULL, 236.22f, RESUNIT_CENTIMETER, 0);
    check_size_tags("no unit says nothing", NULL, 20000, RESUNIT_NONE, 0);
    check_size_tags("tifffile's millimeters", NULL, 3076.923f, 4, 0.325);
    check_size_tags("tifffile's micrometers", NULL, 0.05f, 5, 20);
}

static void test_imagej_sizes(void)
{
    static const struct {
        const char *unit;
        double size;
    } units[] = {{"micron", 1},    {"microns", 1},       {"Micron", 1},
                 {"um", 1},        {"\\u00B5m", 1},      {"\\u00b5m", 1},
                 {"\xc2\xb5m", 1}, {"\xce\xbcm", 1},     {"\xb5m", 1},
                 {"\xc2\xb5", 1},  {" micrometer ", 1},  {"micrometers", 1},
                 {"nm", 0.001},    {"mm", 1000},         {"cm", 10000},
                 {"inch", 25400},  {"pixel", 0},         {"sec", 0},
                 {"", 0},          {"nanometers", 0.001}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        char description[100], name[60];
        snprintf(description, sizeof description, "ImageJ=1.54f\nunit=%s\nmin=0\n", units[i].unit);
        snprintf(name, sizeof name, "ImageJ's '%s'", units[i].unit);
        check_size_tags(name, description, 4, RESUNIT_NONE, units[i].size / 4);
    }
    check_size_tags("ImageJ's unit down", "ImageJ=1.54f\nunit=um\nyunit=um\n", 4, RESUNIT_NONE,
                    0.25);
}

static void check_ome_size(const char *attributes, double expected)
{
    char xml[500], name[100];
    snprintf(xml, sizeof xml, "<?xml version=\"1.0\"?><OME><Image><Pixels %s/></Image></OME>",
             attributes);
    snprintf(name, sizeof name, "OME: %.80s", attributes);
    check_size_tags(name, xml, 72, RESUNIT_INCH, expected);
}

static void test_ome_sizes(void)
{
    check_ome_size("PhysicalSizeX=\"0.65\" PhysicalSizeY=\"0.65\" SizeX=\"4\" SizeY='4'", 0.65);
    check_ome_size("SizeX='4'\n  PhysicalSizeX='0.65'\n\tPhysicalSizeY = '0.65'", 0.65);
    check_ome_size("PhysicalSizeX='325' PhysicalSizeXUnit='nm' PhysicalSizeY='325' "
                   "PhysicalSizeYUnit='nm'",
                   0.325);
    check_ome_size("PhysicalSizeX='0.00065' PhysicalSizeXUnit='mm' PhysicalSizeY='0.65'", 0.65);
    check_ome_size("PhysicalSizeX='0.65' PhysicalSizeXUnit='&#181;m' PhysicalSizeY='0.65'", 0.65);
    check_ome_size("PhysicalSizeX='0.65' PhysicalSizeXUnit='\xc2\xb5m' PhysicalSizeY='1'", 0.65);
    check_ome_size("PhysicalSizeX='0.65' PhysicalSizeXUnit='\xb5m' PhysicalSizeY='0.65'", 0.65);
    check_ome_size("PhysicalSizeX='6.5E-1' PhysicalSizeY='6.5E-1'", 0.65);
    check_ome_size("PhysicalSizeX='6500' PhysicalSizeXUnit='\xc3\x85' PhysicalSizeY='0.65'", 0.65);
    check_ome_size("PhysicalSizeX='1' PhysicalSizeXUnit='pixel' PhysicalSizeY='1'", 0);
    check_ome_size("PhysicalSizeX='50' PhysicalSizeY='50'", 50);
    check_ome_size("SizeX='4'", 0);
}

static void test_other_sizes(void)
{
    check_size_tags("Aperio's MPP",
                    "Aperio Image Library v11.2.1\r\n46000x32914 [0,100 46000x32814] (256x256) "
                    "JPEG/RGB Q=30|AppMag = 20|StripeWidth = 2040|MPP = 0.4990|Left = 25.69",
                    1, RESUNIT_NONE, 0.499);
    check_size_tags("without spaces", "Aperio Image|AppMag=40|MPP=0.25", 1, RESUNIT_NONE, 0.25);
    check_size_tags("MPP of others", "Somebody|MPP = 0.25", 1, RESUNIT_NONE, 0);
    check_size_tags("MetaMorph's calibration",
                    "<MetaData><prop id=\"spatial-calibration-state\" type=\"bool\" value=\"on\"/>"
                    "<prop id=\"spatial-calibration-x\" type=\"float\" value=\"0.65\"/>"
                    "<prop id=\"spatial-calibration-y\" type=\"float\" value=\"0.65\"/>"
                    "<prop id=\"spatial-calibration-units\" type=\"string\" value=\"um\"/>"
                    "</MetaData>",
                    72, RESUNIT_INCH, 0.65);
}

/* A size that a printer has is believed only of our own files. */
static void test_own_sizes(void)
{
    static const char *const names[] = {"own.tif", "own.png", "own.ome.tif"};
    for (int i = 0; i < 3; i++) {
        struct err err = {0};
        struct image_info info = {.width = 4, .height = 4, .channels = 1, .bits = 8}, got = {0};
        uint8_t pixels[16] = {0};
        void *back = NULL;
        info.pixel_width = info.pixel_height = 42.3;
        bool pass = image_save(in_folder(names[i]), &info, pixels, &err) == 0 &&
                    image_load(in_folder(names[i]), &got, &back, &err) == 0;
        is_near(pass ? got.pixel_width : -1, 42.3, 0.01, names[i]);
        free(back);
    }
}

/* ---- PNGs as others write them ---- */

static void write_png(const char *path, int type, int bits, int interlace, const uint8_t *rows,
                      size_t row_bytes, bool palette_alpha)
{
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop chunks = png_create_info_struct(png);
    png_color palette[4] = {{0, 0, 0}, {10, 20, 30}, {40, 50, 60}, {70, 80, 90}};
    png_byte alpha[2] = {0, 128};
    png_bytep list[8];
    png_init_io(png, file);
    png_set_IHDR(png, chunks, 8, 8, bits, type, interlace, 0, 0);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, chunks, palette, 4);
    if (palette_alpha)
        png_set_tRNS(png, chunks, alpha, 2, NULL);
    for (int y = 0; y < 8; y++)
        list[y] = (png_bytep)rows + (size_t)y * row_bytes;
    png_set_rows(png, chunks, list);
    png_write_png(png, chunks, PNG_TRANSFORM_IDENTITY, NULL);
    png_destroy_write_struct(&png, &chunks);
    fclose(file);
}

static void check_png(const char *name, bool labels, int channels, const uint8_t *expected,
                      size_t count)
{
    struct err err = {0};
    struct image_info info = {0};
    void *pixels = NULL;
    const char *path = in_folder("o.png");
    bool pass = (labels ? image_load_labels : image_load)(path, &info, &pixels, &err) == 0;
    if (!ok(pass && info.channels == channels && memcmp(pixels, expected, count) == 0, "PNG: %s",
            name))
        printf("# %d channels, %s\n", info.channels, err.message);
    free(pixels);
}

static void test_pngs(void)
{
    static const uint8_t two_bits[16] = {0x1b, 0xe4}; /* 0 1 2 3 3 2 1 0 */
    static const uint8_t one_bit[8] = {0xa0};
    uint8_t gray[64];
    for (int i = 0; i < 64; i++)
        gray[i] = (uint8_t)(i * 3);
    write_png(in_folder("o.png"), PNG_COLOR_TYPE_GRAY, 8, PNG_INTERLACE_ADAM7, gray, 8, false);
    check_png("interlaced", false, 1, gray, 64);
    write_png(in_folder("o.png"), PNG_COLOR_TYPE_GRAY, 1, PNG_INTERLACE_NONE, one_bit, 1, false);
    check_png("1 bit is scaled", false, 1, (const uint8_t[]){255, 0, 255, 0}, 4);
    check_png("1 bit as labels is not", true, 1, (const uint8_t[]){1, 0, 1, 0}, 4);
    write_png(in_folder("o.png"), PNG_COLOR_TYPE_PALETTE, 2, PNG_INTERLACE_NONE, two_bits, 2,
              false);
    check_png("a palette becomes colors", false, 3, (const uint8_t[]){0, 0, 0, 10, 20, 30}, 6);
    check_png("a palette as labels stays", true, 1, (const uint8_t[]){0, 1, 2, 3, 3, 2, 1, 0}, 8);
    write_png(in_folder("o.png"), PNG_COLOR_TYPE_PALETTE, 2, PNG_INTERLACE_ADAM7, two_bits, 2,
              true);
    check_png("a palette with alpha", false, 4, (const uint8_t[]){0, 0, 0, 0, 10, 20, 30, 128}, 8);
}

/* ---- what is refused ---- */

/* A PNG's last bytes are the sum of its end chunk; a TIFF of ours ends with its
 * directory.  Every prefix must be refused as data. */
static void test_cuts(void)
{
    static const char *const names[] = {"c.png", "c.tif"};
    static uint8_t bytes[1 << 16];
    struct image_info info = {.width = 23, .height = 17, .channels = 3, .bits = 8};
    uint8_t *pixels = malloc(23 * 17 * 3);
    fill(&info, pixels);
    for (int n = 0; n < 2; n++) {
        struct err err = {0};
        int refused = 0;
        if (guard_rewrites(in_folder(names[n]), &err) ||
            image_save(in_folder(names[n]), &info, pixels, &err))
            ok(false, "%s", err.message);
        size_t size = get_file(in_folder(names[n]), bytes, sizeof bytes);
        for (size_t cut = 0; cut < size; cut++) {
            struct image_info got;
            void *back;
            err.status = STATUS_OK;
            put_file(in_folder(names[n]), bytes, cut);
            refused += image_load(in_folder(names[n]), &got, &back, &err) == -1 &&
                       err.status == STATUS_DATA;
        }
        is_int(refused, (long long)size, "each cut is refused");
    }
    free(pixels);
}

static void check_refusal(const char *name, enum status expected)
{
    struct err err = {0};
    struct image_info info;
    void *pixels;
    bool refused = image_load(in_folder(name), &info, &pixels, &err) == -1;
    ok(refused && err.status == expected, "%s is refused", name);
    printf("# %s\n", refused ? err.message : "read");
}

static void test_refusals(void)
{
    check_refusal("missing.png", STATUS_NO_INPUT);
    check_refusal("", STATUS_NO_INPUT);
    put_file(in_folder("empty.png"), "", 0);
    check_refusal("empty.png", STATUS_DATA);
    put_file(in_folder("text.png"), (const uint8_t *)"hello", 5);
    check_refusal("text.png", STATUS_DATA);
    static uint8_t bytes[1 << 16];
    size_t size = get_file(in_folder("p.png"), bytes, sizeof bytes);
    bytes[size - 25]++; /* in the pixels' Adler-32 or their CRC */
    put_file(in_folder("sum.png"), bytes, size);
    check_refusal("sum.png", STATUS_DATA);
}

static void check_dev_full(enum image_format format)
{
    struct err err = {0};
    struct image_writer *writer;
    struct image_info info = {.width = 640, .height = 480, .channels = 1, .bits = 16};
    uint8_t *pixels = malloc(640 * 480 * 2);
    fill(&info, pixels);
    bool failed =
        image_create(&writer, "/dev/full", format, IMAGE_DEFAULT_COMPRESSION, &info, &err);
    if (!failed && image_write_rows(writer, 480, pixels, &err)) {
        image_abort(writer);
        failed = true;
    } else if (!failed) {
        failed = image_commit(writer, &err);
    }
    ok(failed && err.status == STATUS_IO, "a full disk is an error (%s)", err.message);
    free(pixels);
}

static void test_writing_fails(void)
{
    struct err err = {0};
    struct image_info info = {.width = 4, .height = 4, .channels = 1, .bits = 32};
    struct image_writer *writer;
    uint8_t pixels[64] = {0};
    check_dev_full(IMAGE_PNG);
    check_dev_full(IMAGE_TIFF);
    is_int(image_create(&writer, in_folder("f.png"), IMAGE_PNG, IMAGE_DEFLATE, &info, &err), -1,
           "PNG does not take floats");
    is_int(err.status, STATUS_USAGE, "that is wrong usage");
    if (image_create(&writer, in_folder("short.tif"), IMAGE_TIFF, IMAGE_DEFLATE, &info, &err) ||
        image_write_rows(writer, 3, pixels, &err))
        ok(false, "%s", err.message);
    is_int(image_commit(writer, &err), -1, "too few rows are not committed");
    ok(access(in_folder("short.tif"), F_OK) != 0, "and leave nothing");
    is_int(image_save(in_folder("no/such/folder.png"), &info, pixels, &err), -1,
           "a missing folder is an error");
}

/* ---- what must be whole in memory ---- */

static void write_jpeg(const char *path, bool progressive)
{
    struct jpeg_compress_struct encoder = {0};
    struct jpeg_error_mgr errors;
    uint8_t row[24] = {0};
    JSAMPROW rows[] = {row};
    FILE *file = fopen(path, "wb");
    encoder.err = jpeg_std_error(&errors);
    jpeg_create_compress(&encoder);
    jpeg_stdio_dest(&encoder, file);
    encoder.image_width = encoder.image_height = 8;
    encoder.input_components = 3;
    encoder.in_color_space = JCS_RGB;
    jpeg_set_defaults(&encoder);
    if (progressive)
        jpeg_simple_progression(&encoder);
    jpeg_start_compress(&encoder, TRUE);
    for (int y = 0; y < 8; y++)
        jpeg_write_scanlines(&encoder, rows, 1);
    jpeg_finish_compress(&encoder);
    jpeg_destroy_compress(&encoder);
    fclose(file);
}

/* Whether an image of 8 x 8 pixels is read where 64 and where 63 are allowed. */
static void check_limit(const char *name, bool whole)
{
    struct err err = {0};
    struct image_info info;
    void *pixels = NULL;
    char expected[400];
    const char *path = in_folder(name);
    snprintf(expected, sizeof expected,
             "read '%s': 8 x 8 pixels are more than 63, the limit (--max-pixels)", path);
    limits.max_pixels = 64;
    bool reads = image_load(path, &info, &pixels, &err) == 0;
    free(pixels);
    pixels = NULL;
    limits.max_pixels = 63;
    bool refuses = image_load(path, &info, &pixels, &err) == -1;
    ok(reads && refuses == whole && (!whole || strcmp(err.message, expected) == 0), "%s is %s",
       name, whole ? "bounded by --max-pixels" : "read by rows");
    free(pixels);
    limits.max_pixels = 0;
}

static void test_limits(void)
{
    static const uint8_t gray[64];
    write_png(in_folder("plain.png"), PNG_COLOR_TYPE_GRAY, 8, PNG_INTERLACE_NONE, gray, 8, false);
    write_png(in_folder("whole.png"), PNG_COLOR_TYPE_GRAY, 8, PNG_INTERLACE_ADAM7, gray, 8, false);
    write_jpeg(in_folder("plain.jpg"), false);
    write_jpeg(in_folder("whole.jpg"), true);
    check_limit("plain.png", false);
    check_limit("whole.png", true);
    check_limit("plain.jpg", false);
    check_limit("whole.jpg", true);
}

int main(void)
{
    tap_plan(168);
    if (!mkdtemp(folder))
        return 1;
    test_round_trips();
    test_pixel_size();
    test_variants();
    test_negative_labels();
    test_pages();
    test_size_tags();
    test_imagej_sizes();
    test_ome_sizes();
    test_other_sizes();
    test_own_sizes();
    test_pngs();
    test_limits();
    test_cuts();
    test_refusals();
    test_writing_fails();
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command) ? 1 : tap_done();
}
