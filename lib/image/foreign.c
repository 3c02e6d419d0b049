#include "image/foreign.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define START 32 /* bytes that are looked at */

/* What converts it, and to what: Bio-Formats, ImageMagick. */
enum converter { BFCONVERT, MAGICK, GUNZIP };
static const struct {
    const char *program, *ending;
} converters[] = {{"bfconvert", "ome.tif"}, {"convert", "png"}, {"gunzip", NULL}};

/* Those of which a TIFF reader would see a thumbnail only are known by their names. */
static const struct form {
    const char *magic, *ending, *name;
    size_t at, length;
    enum converter by;
} forms[] = {
    {"ZISRAWFILE", NULL, "Zeiss CZI", 0, 10, BFCONVERT},
    {"\xda\xce\xbe\x0a", NULL, "Nikon ND2", 0, 4, BFCONVERT},
    {"", "nd2", "Nikon ND2", 0, 0, BFCONVERT},
    {"\x70\0\0\0", "lif", "Leica LIF", 0, 4, BFCONVERT},
    {"", "xlef", "Leica XLEF", 0, 0, BFCONVERT},
    {"", "lof", "Leica LOF", 0, 0, BFCONVERT},
    {"", "vsi", "Olympus VSI", 0, 0, BFCONVERT},
    {"OLYMPUSRAW", NULL, "Olympus OIR", 0, 10, BFCONVERT},
    {"\xd0\xcf\x11\xe0", NULL, "Olympus OIB or Zeiss ZVI", 0, 4, BFCONVERT},
    {"\x89HDF", "ims", "Imaris", 0, 4, BFCONVERT},
    {"", "dv", "DeltaVision", 0, 0, BFCONVERT},
    {"", "r3d", "DeltaVision", 0, 0, BFCONVERT},
    {"", "flex", "PerkinElmer FLEX", 0, 0, BFCONVERT},
    {"", "dm3", "Gatan DM3", 0, 0, BFCONVERT},
    {"", "dm4", "Gatan DM4", 0, 0, BFCONVERT},
    {"SIMPLE  =", NULL, "FITS", 0, 9, BFCONVERT},
    {"BM", NULL, "BMP", 0, 2, MAGICK},
    {"GIF8", NULL, "GIF", 0, 4, MAGICK},
    {"WEBP", NULL, "WebP", 8, 4, MAGICK},
    {"\0\0\0\x0cjP  ", NULL, "JPEG 2000", 0, 8, MAGICK},
    {"\xff\x4f\xff\x51", NULL, "JPEG 2000", 0, 4, MAGICK},
    {"\xff\x0a", NULL, "JPEG XL", 0, 2, MAGICK},
    {"\0\0\0\x0cJXL ", NULL, "JPEG XL", 0, 8, MAGICK},
    {"ftypavif", NULL, "AVIF", 4, 8, MAGICK},
    {"ftyphei", NULL, "HEIC", 4, 7, MAGICK},
    {"ftypmif1", NULL, "HEIC", 4, 8, MAGICK},
    {"P1", NULL, "PBM", 0, 2, MAGICK},
    {"P2", NULL, "PGM", 0, 2, MAGICK},
    {"P3", NULL, "PPM", 0, 2, MAGICK},
    {"P4", NULL, "PBM", 0, 2, MAGICK},
    {"P5", NULL, "PGM", 0, 2, MAGICK},
    {"P6", NULL, "PPM", 0, 2, MAGICK},
    {"8BPS", NULL, "Photoshop's PSD", 0, 4, MAGICK},
    {"%PDF", NULL, "PDF", 0, 4, MAGICK},
    {"<svg", NULL, "SVG", 0, 4, MAGICK},
    {"", "tga", "TGA", 0, 0, MAGICK},
    {"\x1f\x8b", NULL, "a file compressed by gzip", 0, 2, GUNZIP},
};

const char *foreign_ending(const struct image_reader *reader)
{
    const char *slash = strrchr(reader->source.name, '/');
    const char *dot = strrchr(slash ? slash : reader->source.name, '.');
    return dot ? dot + 1 : "";
}

static bool matches(const struct form *form, const char start[START], const char *ending)
{
    if (memcmp(start + form->at, form->magic, form->length) != 0)
        return false;
    return form->ending ? strcasecmp(ending, form->ending) == 0 : form->length > 0;
}

int foreign_refuse(const struct image_reader *reader, struct err *err)
{
    char start[START] = {0}, to[1000] = "";
    const char *name = reader->source.name, *ending = foreign_ending(reader);
    size_t known = reader->source.size < START ? (size_t)reader->source.size : START;
    if (image_source_read(&reader->source, 0, start, known, err))
        return -1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        enum converter by = forms[i].by;
        if (!matches(&forms[i], start, ending))
            continue;
        if (converters[by].ending)
            snprintf(to, sizeof to, " '%.*s%s%s'", (int)(strlen(name) - strlen(ending)), name,
                     *ending ? "" : ".", converters[by].ending);
        return image_bad(reader, err, "%s must be converted: %s '%s'%s", forms[i].name,
                         converters[by].program, name, to);
    }
    return 0;
}
