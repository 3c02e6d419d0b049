/* TIFFs as other programs write them, for the C tests: page after page through libtiff, with
 * the tags that a test is about. */
#ifndef TESTS_TIFFS_H
#define TESTS_TIFFS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

struct tiff_page {
    uint32_t width, height;
    int bits, samples, format; /* 0: 8, 1, unsigned integers */
    int photometric, planar;   /* 0 is "min is white": set it; planar 0: together */
    int extra_count;
    uint16_t extras[4];
    int orientation; /* 0: not said */
    int unit;        /* of the resolution; 0: not said */
    float resolution;
    int reduced; /* 1: a smaller copy of another page */
    const char *description;
    const uint16_t *red, *green, *blue; /* a palette */
    int subimages;                      /* how many of the next pages are its own */
    const void *lsm;                    /* Zeiss's description */
    uint32_t lsm_size;
    const char *micromanager; /* Micro-Manager's */
    uint32_t stk_planes;      /* MetaMorph's number of planes */
    const char *xmp, *software;
    const void *pixels; /* rows in the machine's order; planes one after another */
};

/* What libtiff does not know. */
static const TIFFFieldInfo tiff_private[] = {
    {34412, -3, -3, TIFF_BYTE, FIELD_CUSTOM, 1, 1, (char *)"LSM"},
    {51123, -1, -1, TIFF_ASCII, FIELD_CUSTOM, 1, 0, (char *)"MicroManager"},
    {33629, -3, -3, TIFF_LONG, FIELD_CUSTOM, 1, 1, (char *)"UIC2"},
};

static void tiff_put_private(TIFF *tif, const struct tiff_page *p)
{
    static const uint32_t stk[1000];
    TIFFMergeFieldInfo(tif, tiff_private, 3);
    if (p->lsm)
        TIFFSetField(tif, 34412, p->lsm_size, p->lsm);
    if (p->micromanager)
        TIFFSetField(tif, 51123, p->micromanager);
    if (p->stk_planes)
        TIFFSetField(tif, 33629, p->stk_planes, stk);
    if (p->subimages)
        TIFFSetField(tif, TIFFTAG_SUBIFD, p->subimages, (uint64_t[8]){0});
}

__attribute__((unused)) static void tiff_put_tags(TIFF *tif, const struct tiff_page *p)
{
    int samples = p->samples ? p->samples : 1;
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, p->width);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, p->height);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, p->bits ? p->bits : 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT, p->format ? p->format : SAMPLEFORMAT_UINT);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, p->photometric);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, p->planar ? p->planar : PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, p->height);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    tiff_put_private(tif, p);
    if (p->extra_count)
        TIFFSetField(tif, TIFFTAG_EXTRASAMPLES, p->extra_count, p->extras);
    if (p->orientation)
        TIFFSetField(tif, TIFFTAG_ORIENTATION, p->orientation);
    if (p->description)
        TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, p->description);
    if (p->xmp)
        TIFFSetField(tif, TIFFTAG_XMLPACKET, (uint32_t)strlen(p->xmp), p->xmp);
    if (p->software)
        TIFFSetField(tif, TIFFTAG_SOFTWARE, p->software);
    if (p->red)
        TIFFSetField(tif, TIFFTAG_COLORMAP, p->red, p->green, p->blue);
    if (p->reduced)
        TIFFSetField(tif, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
    if (p->unit) {
        TIFFSetField(tif, TIFFTAG_XRESOLUTION, p->resolution);
        TIFFSetField(tif, TIFFTAG_YRESOLUTION, p->resolution);
        TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, p->unit);
    }
}

__attribute__((unused)) static void tiff_put_page(TIFF *tif, const struct tiff_page *p)
{
    int planes = p->planar == PLANARCONFIG_SEPARATE ? p->samples : 1;
    tiff_put_tags(tif, p);
    size_t size = (size_t)TIFFScanlineSize(tif) * p->height;
    char *copy = malloc(size); /* which libtiff reverses in place */
    for (int i = 0; i < planes; i++) {
        memcpy(copy, (const char *)p->pixels + (size_t)i * size, size);
        TIFFWriteEncodedStrip(tif, (uint32_t)i, copy, (tmsize_t)size);
    }
    free(copy);
    TIFFWriteDirectory(tif);
}

/* mode "w", "wb" for big-endian, "w8" for BigTIFF */
__attribute__((unused)) static void tiff_put(const char *path, const char *mode,
                                             const struct tiff_page *pages, int count)
{
    TIFF *tif = TIFFOpen(path, mode);
    for (int i = 0; i < count; i++)
        tiff_put_page(tif, &pages[i]);
    TIFFClose(tif);
}

#endif
