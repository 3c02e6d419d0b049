/* A slide in Aperio's form: a pyramid of tiled pages, JPEG or Deflate, its description first; or
 * one in Ventana's, of 512 x 512 pixels: a label and four tiles, whose places XML tells.
 * usage: slide IMAGE OUT.svs MPP [deflate]
 *        slide IMAGE OUT.tif MPP ventana */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "image/image.h"

#define TILE   256
#define LEVELS 3
#define STEP   4 /* between levels */

struct picture {
    uint32_t width, height;
    uint8_t *rgb;
};

static void die(const char *why)
{
    fprintf(stderr, "slide: %s\n", why);
    exit(1);
}

static void *room(size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p)
        die("out of memory");
    return p;
}

static struct picture load(const char *path)
{
    struct err err;
    struct image_info info;
    void *pixels;
    if (image_load(path, &info, &pixels, &err))
        die(err.message);
    if (info.bits != 8)
        die("not 8 bits");
    struct picture p = {(uint32_t)info.width, (uint32_t)info.height, NULL};
    size_t count = (size_t)p.width * p.height;
    p.rgb = room(3 * count);
    for (size_t i = 0; i < count; i++)
        for (int c = 0; c < 3; c++)
            p.rgb[3 * i + (size_t)c] = ((
                uint8_t *)pixels)[i * (size_t)info.channels + (size_t)(info.channels > 2 ? c : 0)];
    free(pixels);
    return p;
}

static struct picture shrink(const struct picture *from)
{
    struct picture p = {from->width / STEP, from->height / STEP, NULL};
    p.rgb = room((size_t)p.width * p.height * 3);
    for (size_t y = 0; y < p.height; y++)
        for (size_t x = 0; x < p.width; x++)
            for (size_t c = 0; c < 3; c++) {
                unsigned sum = STEP * STEP / 2;
                for (size_t i = 0; i < STEP * STEP; i++)
                    sum +=
                        from->rgb[3 * ((y * STEP + i / STEP) * from->width + x * STEP + i % STEP) +
                                  c];
                p.rgb[3 * (y * p.width + x) + c] = (uint8_t)(sum / (STEP * STEP));
            }
    return p;
}

static void put_tile(TIFF *tif, const struct picture *p, uint32_t x, uint32_t y)
{
    uint8_t tile[TILE * TILE * 3] = {0};
    uint32_t width = p->width - x < TILE ? p->width - x : TILE;
    for (uint32_t row = 0; row < TILE && y + row < p->height; row++)
        memcpy(tile + (size_t)row * TILE * 3, p->rgb + 3 * ((size_t)(y + row) * p->width + x),
               (size_t)width * 3);
    if (TIFFWriteTile(tif, tile, x, y, 0, 0) < 0)
        die("a tile");
}

static void put_page(TIFF *tif, const struct picture *p, const char *text, bool deflate)
{
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, p->width);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, p->height);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, deflate ? COMPRESSION_ADOBE_DEFLATE : COMPRESSION_JPEG);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(tif, TIFFTAG_TILEWIDTH, TILE);
    TIFFSetField(tif, TIFFTAG_TILELENGTH, TILE);
    TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, text);
    for (uint32_t y = 0; y < p->height; y += TILE)
        for (uint32_t x = 0; x < p->width; x += TILE)
            put_tile(tif, p, x, y);
    if (!TIFFWriteDirectory(tif))
        die("a page");
}

/* Rows of tiles count from below, one from the left, the next from the right. */
static void put_ventana(TIFF *tif, const struct picture *p, const char *mpp)
{
#define JOINT(direction, a, b)                                                                     \
    "<TileJointInfo FlagJoined='1' Confidence='100' Direction='" direction "' Tile1='" a           \
    "' Tile2='" b "' OverlapX='0' OverlapY='0'/>"
    static const char joints[] =
        "<EncodeInfo Ver='2'><SlideInfo/><SlideStitchInfo><ImageInfo AOIScanned='1' AOIIndex='0' "
        "NumRows='2' NumCols='2' Width='256' Height='256' Pos-X='0' Pos-Y='0'>" JOINT(
            "RIGHT", "1", "2") JOINT("RIGHT", "4", "3") JOINT("UP", "1", "4")
            JOINT("UP", "2", "3") "</ImageInfo></SlideStitchInfo><AoiOrigin><AOI0 OriginX='0' "
                                  "OriginY='0'/></AoiOrigin>"
                                  "</EncodeInfo>";
    char scan[300];
    snprintf(scan, sizeof scan,
             "<Metadata><iScan Magnification='20' ScanRes='%s'><AOI0 Left='0' Top='0' Right='1' "
             "Bottom='1'/></iScan></Metadata>",
             mpp);
    struct picture label = {TILE, TILE, p->rgb};
    TIFFSetField(tif, TIFFTAG_XMLPACKET, (uint32_t)strlen(scan), scan);
    put_page(tif, &label, "Label Image", true);
    TIFFSetField(tif, TIFFTAG_XMLPACKET, (uint32_t)strlen(joints), joints);
    put_page(tif, p, "level=0 mag=20 quality=95", true);
}

static void put_aperio(TIFF *tif, struct picture *p, const char *mpp, bool deflate)
{
    char text[200];
    for (int level = 0; level < LEVELS && p->width && p->height; level++) {
        snprintf(text, sizeof text,
                 "Aperio Image Library v12.0\n%ux%u (256x256)|AppMag = 20|MPP = %s", p->width,
                 p->height, mpp);
        put_page(tif, p, text, deflate);
        struct picture next = shrink(p);
        free(p->rgb);
        *p = next;
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage: slide IMAGE OUT.svs MPP [deflate]");
    struct picture p = load(argv[1]);
    TIFF *tif = TIFFOpen(argv[2], "w");
    if (!tif)
        die("cannot create it");
    if (argc > 4 && strcmp(argv[4], "ventana") == 0)
        put_ventana(tif, &p, argv[3]);
    else
        put_aperio(tif, &p, argv[3], argc > 4);
    free(p.rgb);
    TIFFClose(tif);
    return 0;
}
