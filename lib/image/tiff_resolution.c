#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "image/tiff_layout.h"
#include "image/units.h"

/* The text after `name` up to `end`, NULL when it is not there. */
static const char *field(const char *text, const char *name, char end, size_t *length)
{
    const char *at = strstr(text, name);
    if (!at)
        return NULL;
    at += strlen(name);
    const char *stop = strchr(at, end);
    *length = stop ? (size_t)(stop - at) : strlen(at);
    return at;
}

/* A number's text up to its end, whatever the locale; 0 when it is none. */
static double number(const char *text, size_t length)
{
    char copy[40];
    double value;
    struct err unused;
    while (length && *text == ' ') {
        text++;
        length--;
    }
    size_t digits = strspn(text, "0123456789.eE+-");
    if (digits > length)
        digits = length;
    snprintf(copy, sizeof copy, "%.*s", (int)digits, text);
    return num_real(copy, 0, 1e12, &value, &unused) == 0 ? value : 0;
}

/* ---- ImageJ: the resolution in a unit of its own ---- */

static bool from_imagej(const char *description, float x, float y, double *width, double *height)
{
    size_t length, y_length;
    if (strncmp(description, "ImageJ=", 7) != 0)
        return false;
    const char *unit = field(description, "\nunit=", '\n', &length);
    const char *y_unit = field(description, "\nyunit=", '\n', &y_length);
    double across = unit ? units_micrometers(unit, length) : 0;
    double down = y_unit ? units_micrometers(y_unit, y_length) : across;
    if (!(across > 0) || !(down > 0) || !(x > 0) || !(y > 0))
        return false;
    *width = units_sane(across / x);
    *height = units_sane(down / y);
    return true;
}

/* ---- Aperio: "...|AppMag = 20|MPP = 0.4990|..." ---- */

static bool from_aperio(const char *description, double *width, double *height)
{
    size_t length;
    if (strncmp(description, "Aperio", 6) != 0)
        return false;
    const char *mpp = field(description, "|MPP", '|', &length);
    const char *equals = mpp ? memchr(mpp, '=', length) : NULL;
    if (!equals)
        return false;
    *width = *height = units_sane(number(equals + 1, length - (size_t)(equals + 1 - mpp)));
    return *width > 0;
}

/* ---- MetaMorph: <prop id="spatial-calibration-x" type="float" value="0.645"/> ---- */

static const char *metamorph_value(const char *description, const char *id, size_t *length)
{
    const char *at = strstr(description, id);
    const char *end = at ? strchr(at, '>') : NULL;
    const char *value = at ? field(at, "value=\"", '"', length) : NULL;
    return value && value < end ? value : NULL;
}

static bool from_metamorph(const char *description, double *width, double *height)
{
    size_t x_length, y_length, unit_length;
    if (!strstr(description, "<MetaData"))
        return false;
    const char *x = metamorph_value(description, "\"spatial-calibration-x\"", &x_length);
    const char *y = metamorph_value(description, "\"spatial-calibration-y\"", &y_length);
    const char *unit = metamorph_value(description, "\"spatial-calibration-units\"", &unit_length);
    double um = unit ? units_micrometers(unit, unit_length) : 0;
    if (!x || !y || !(um > 0))
        return false;
    *width = units_sane(um * number(x, x_length));
    *height = units_sane(um * number(y, y_length));
    return *width > 0 && *height > 0;
}

/* ---- the tags ---- */

static bool is_own(TIFF *tif)
{
    const char *software = NULL;
    return TIFFGetField(tif, TIFFTAG_SOFTWARE, &software) && software &&
           strcmp(software, IMAGE_SOFTWARE) == 0;
}

/* The unit as the file has it: libtiff knows no millimeters (4) and micrometers (5), which
 * tifffile writes.  0 when there is none. */
static unsigned raw_unit(TIFF *tif, const struct tiff_io *io)
{
    uint8_t head[8], entry[20];
    char none[] = "";
    struct image_source source = {.fd = io->fd, .name = none};
    struct err unused;
    bool big = TIFFIsBigTIFF(tif);
    size_t count_bytes = big ? 8 : 2, entry_bytes = big ? 20 : 12;
    uint64_t at = TIFFCurrentDirOffset(tif), count = 0;
    if (image_source_read(&source, (int64_t)at, head, count_bytes, &unused))
        return 0;
    bool big_endian = TIFFIsBigEndian(tif);
    for (size_t i = 0; i < count_bytes; i++)
        count |= (uint64_t)head[i] << 8 * (big_endian ? count_bytes - 1 - i : i);
    at += count_bytes;
    for (uint64_t i = 0; i < count && i < 4096; i++, at += entry_bytes) {
        if (image_source_read(&source, (int64_t)at, entry, entry_bytes, &unused))
            return 0;
        unsigned tag = big_endian ? entry[0] * 256u + entry[1] : entry[1] * 256u + entry[0];
        const uint8_t *value = entry + (big ? 12 : 8);
        if (tag == TIFFTAG_RESOLUTIONUNIT)
            return big_endian ? value[0] * 256u + value[1] : value[1] * 256u + value[0];
    }
    return 0;
}

/* Micrometers of the unit when it is one that no printer uses, else 0. */
static double unit_of_microscopes(unsigned unit)
{
    return unit == 4 ? 1e3 : unit == 5 ? 1 : 0;
}

static void from_tags(TIFF *tif, const struct tiff_io *io, float x, float y, double *width,
                      double *height)
{
    uint16_t known = RESUNIT_INCH;
    unsigned unit = raw_unit(tif, io);
    TIFFGetFieldDefaulted(tif, TIFFTAG_RESOLUTIONUNIT, &known);
    double um = unit_of_microscopes(unit);
    if (um > 0) {
        *width = x > 0 ? units_sane(um / x) : 0;
        *height = y > 0 ? units_sane(um / y) : 0;
        return;
    }
    double per_meter = known == RESUNIT_INCH ? 1 / 0.0254 : known == RESUNIT_CENTIMETER ? 100 : 0;
    bool own = is_own(tif);
    *width = image_pixel_size(x * per_meter, own);
    *height = image_pixel_size(y * per_meter, own);
}

void tiff_pixel_size(TIFF *tif, const struct tiff_io *io, double *width, double *height)
{
    float x = 0, y = 0;
    const char *text = NULL;
    *width = *height = 0;
    TIFFGetField(tif, TIFFTAG_XRESOLUTION, &x);
    TIFFGetField(tif, TIFFTAG_YRESOLUTION, &y);
    if (!(y > 0))
        y = x;
    if (!TIFFGetField(tif, TIFFTAG_IMAGEDESCRIPTION, &text) || !text)
        text = "";
    if (from_imagej(text, x, y, width, height) || from_aperio(text, width, height) ||
        from_metamorph(text, width, height))
        return;
    from_tags(tif, io, x, y, width, height);
}
