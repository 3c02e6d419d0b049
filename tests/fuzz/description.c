/* The description of a TIFF of some pages: OME-XML, or what ImageJ and others write.  The first
 * two bytes say how many pages there are, and of what size. */
#include <tiffio.h>

#include "image/ome.h"
#include "tests/fuzz/pixels.h"

static char path[] = "/tmp/fuzz-description-XXXXXX";

static void remove_file(void)
{
    unlink(path);
}

static void put_page(TIFF *tif, uint8_t shape, const char *text)
{
    static const uint8_t pixels[64];
    uint32_t width = 1 + (shape & 7), height = 1 + (shape >> 3 & 3);
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, height);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, height);
    if (text)
        TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, text);
    if (TIFFWriteEncodedStrip(tif, 0, (void *)pixels, (tmsize_t)(width * height)) < 0 ||
        !TIFFWriteDirectory(tif))
        abort();
}

static void read_ome(const char *text)
{
    struct ome ome;
    struct err err;
    if (ome_is(text) && ome_read(&ome, text, &err) == 0)
        ome_free(&ome);
}

static void make_name(void)
{
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) || atexit(remove_file))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[FUZZ_MAX_SIZE + 1];
    if (size < 2 || size > FUZZ_MAX_SIZE)
        return 0;
    memcpy(text, data + 2, size - 2);
    text[size - 2] = 0;
    if (path[sizeof path - 2] == 'X')
        make_name();
    read_ome(text);
    TIFF *tif = TIFFOpen(path, "w");
    if (!tif)
        abort();
    for (int i = 0; i <= (data[0] & 15); i++)
        put_page(tif, data[1], i ? NULL : text);
    TIFFClose(tif);
    planes_chosen.image = (struct image_planes){.z = data[0] & 16 ? "max" : NULL,
                                                .t = data[0] & 32 ? "1" : NULL,
                                                .channel = data[0] & 64 ? "1,2" : NULL,
                                                .series = data[0] & 128 ? "1" : NULL};
    pixels_read(path, false);
    pixels_read(path, true);
    return 0;
}
