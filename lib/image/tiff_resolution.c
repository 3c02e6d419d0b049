#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "image/tiff_layout.h"

/* Micrometres in a unit, by the names that ImageJ and OME-XML use; 0 unknown.
 * The micro sign may be UTF-8, Latin-1 or ImageJ's escape. */
static double unit_in_micrometres(const char *name, size_t length)
{
    static const struct {
        const char *name;
        double micrometres;
    } units[] = {
        {"micron", 1},     {"microns", 1},  {"um", 1},      {"\xc2\xb5m", 1},   {"\xb5m", 1},
        {"\xce\xbcm", 1},  {"\\u00B5m", 1}, {"&#181;m", 1}, {"&#xB5;m", 1},     {"micrometer", 1},
        {"micrometre", 1}, {"nm", 1e-3},    {"pm", 1e-6},   {"mm", 1e3},        {"cm", 1e4},
        {"m", 1e6},        {"inch", 25400}, {"in", 25400},  {"\xc3\x85", 1e-4},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
            return units[i].micrometres;
    return 0;
}

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

static double positive(double value)
{
    return value > 0 && value < 1e9 ? value : 0;
}

static double ome_size(const char *pixels, const char *size_name, const char *unit_name)
{
    size_t length;
    const char *size = field(pixels, size_name, '"', &length);
    if (!size)
        return 0;
    double value = strtod(size, NULL), unit = 1;
    const char *name = field(pixels, unit_name, '"', &length);
    if (name)
        unit = unit_in_micrometres(name, length);
    return positive(value * unit);
}

static bool from_ome(const char *description, double *width, double *height)
{
    const char *pixels = strstr(description, "<Pixels");
    if (!pixels || !strstr(description, "<OME"))
        return false;
    *width = ome_size(pixels, " PhysicalSizeX=\"", " PhysicalSizeXUnit=\"");
    *height = ome_size(pixels, " PhysicalSizeY=\"", " PhysicalSizeYUnit=\"");
    return *width > 0 && *height > 0;
}

static bool from_imagej(const char *description, float x, float y, double *width, double *height)
{
    size_t length;
    const char *unit = strncmp(description, "ImageJ=", 7) == 0
                           ? field(description, "\nunit=", '\n', &length)
                           : NULL;
    double micrometres = unit ? unit_in_micrometres(unit, length) : 0;
    if (micrometres == 0 || !(x > 0) || !(y > 0))
        return false;
    *width = positive(micrometres / x);
    *height = positive(micrometres / y);
    return true;
}

void tiff_pixel_size(TIFF *tif, double *width, double *height)
{
    float x = 0, y = 0;
    uint16_t unit = RESUNIT_INCH;
    char *description = NULL;
    *width = *height = 0;
    TIFFGetField(tif, TIFFTAG_XRESOLUTION, &x);
    TIFFGetField(tif, TIFFTAG_YRESOLUTION, &y);
    TIFFGetFieldDefaulted(tif, TIFFTAG_RESOLUTIONUNIT, &unit);
    if (TIFFGetField(tif, TIFFTAG_IMAGEDESCRIPTION, &description) && description &&
        (from_ome(description, width, height) || from_imagej(description, x, y, width, height)))
        return;
    double per_metre = unit == RESUNIT_INCH ? 1 / 0.0254 : unit == RESUNIT_CENTIMETER ? 100 : 0;
    *width = image_pixel_size(x * per_metre);
    *height = image_pixel_size(y * per_metre);
}
