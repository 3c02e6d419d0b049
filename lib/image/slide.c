/* Slides by OpenSlide: a level, in bands as high as its tiles. */
#include "image/slide.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/num.h"
#include "core/text.h"
#include "image/foreign.h"
#include "image/openslide.h"
#include "image/tiff_io.h"
#include "image/units.h"

#define BAND_ROWS   256                 /* where a slide does not tell its tiles' height */
#define MAX_BAND    ((size_t)512 << 20) /* bytes */
#define FIRST_PAGES 3                   /* one of which says whose a slide is */

struct slide {
    const struct openslide_calls *lib;
    struct openslide *slide;
    int32_t level;
    double downsample;
    uint8_t background[3];
    uint32_t *band;
    int64_t band_rows;        /* it has room for */
    int64_t first, last, row; /* rows of the band; the next to give */
};

/* ---- which files ---- */

static bool is_among(const char *word, const char *const *words)
{
    while (*words && strcasecmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

static bool is_dicom(const struct image_reader *reader)
{
    char magic[4];
    struct err unused;
    return reader->source.size > 132 &&
           image_source_read(&reader->source, 128, magic, 4, &unused) == 0 &&
           memcmp(magic, "DICM", 4) == 0;
}

/* Aperio's are tiled TIFFs, which our decoder reads, too, but for JPEG 2000. */
static bool needs_openslide(const char *ending)
{
    static const char *const endings[] = {"ndpi", "scn", "mrxs",    "bif",
                                          "vms",  "vmu", "svslide", NULL};
    return is_among(ending, endings);
}

/* The current directory. */
static bool is_scanned_tiff(TIFF *tif)
{
    uint32_t size = 0;
    const char *xmp = NULL, *software = NULL;
    if (TIFFGetField(tif, TIFFTAG_XMLPACKET, &size, &xmp) && xmp && text_has(xmp, size, "<iScan"))
        return true; /* Ventana's */
    return TIFFGetField(tif, TIFFTAG_SOFTWARE, &software) && software &&
           (strncmp(software, "Philips", 7) == 0 || strncmp(software, "MedScan", 7) == 0);
}

/* Slides of Ventana, Philips and Trestle are called as other TIFFs are. */
static bool is_scanned(const struct image_reader *reader)
{
    struct tiff_io io = {.fd = reader->source.fd};
    if (reader->decoder != &image_tiff_decoder || reader->use == IMAGE_FOR_LABELS)
        return false;
    TIFF *tif = tiff_io_open(&io, reader->source.name, "r");
    bool found = tif && is_scanned_tiff(tif);
    for (int i = 1; tif && i < FIRST_PAGES && !found && TIFFReadDirectory(tif); i++)
        found = is_scanned_tiff(tif);
    if (tif)
        TIFFClose(tif);
    return found;
}

int slide_choose(struct image_reader *reader, struct err *err)
{
    const char *ending = foreign_ending(reader), *series = reader->planes.series;
    bool needs = needs_openslide(ending) || is_dicom(reader) || is_scanned(reader);
    if (!needs && (strcasecmp(ending, "svs") != 0 || (series && strcmp(series, "1") != 0)))
        return 0;
    const struct openslide_calls *lib = openslide_find();
    if (lib && lib->detect_vendor(reader->source.name))
        reader->decoder = &image_slide_decoder;
    else if (needs && !lib)
        return image_bad(reader, err,
                         "a slide, which needs OpenSlide (apt-get install "
                         "libopenslide-dev)");
    else if (needs && (reader->decoder != &image_tiff_decoder || is_scanned(reader)))
        return image_bad(reader, err, "a slide that this OpenSlide does not know");
    return 0;
}

/* ---- opening ---- */

static double property(const struct slide *s, const char *name)
{
    const char *text = s->lib->property(s->slide, name);
    double value = text ? strtod(text, NULL) : 0;
    return isfinite(value) ? value : 0;
}

static int check(const struct image_reader *reader, const struct slide *s, struct err *err)
{
    const char *error = s->slide ? s->lib->error(s->slide) : "OpenSlide cannot open it";
    return error ? image_bad(reader, err, "%s", error) : 0;
}

/* The smallest level whose pixels are not larger than asked for, or the one asked for. */
static int choose_level(const struct image_reader *reader, struct slide *s, double pixel,
                        struct err *err)
{
    double wanted = reader->planes.um_per_pixel;
    int32_t count = s->lib->level_count(s->slide);
    if (reader->planes.level >= count)
        return image_bad(reader, err, "there is no level %" PRId64 ", there is 0%s%.0d",
                         reader->planes.level, count > 1 ? " to " : "", count - 1);
    s->level = (int32_t)reader->planes.level;
    for (int32_t i = 1; wanted > 0 && i < count; i++)
        if (pixel * s->lib->level_downsample(s->slide, i) <= wanted * 1.001)
            s->level = i;
    s->downsample = s->lib->level_downsample(s->slide, s->level);
    return check(reader, s, err);
}

/* What lies where the slide has no pixels. */
static void find_background(struct slide *s)
{
    const char *text = s->lib->property(s->slide, "openslide.background-color");
    unsigned long rgb = text && strlen(text) == 6 ? strtoul(text, NULL, 16) : 0xffffff;
    for (int c = 0; c < 3; c++)
        s->background[c] = (uint8_t)(rgb >> (16 - 8 * c));
}

static int make_band(const struct image_reader *reader, struct slide *s, struct err *err)
{
    char name[64];
    size_t row = (size_t)reader->info.width * sizeof *s->band;
    snprintf(name, sizeof name, "openslide.level[%d].tile-height", (int)s->level);
    double height = property(s, name);
    s->band_rows = height >= 1 && height <= 4096 ? (int64_t)height : BAND_ROWS;
    if (s->band_rows > reader->info.height)
        s->band_rows = reader->info.height;
    while (s->band_rows > 1 && row * (size_t)s->band_rows > MAX_BAND)
        s->band_rows /= 2;
    s->band = malloc(row * (size_t)s->band_rows);
    return s->band ? 0 : err_memory(err, reader->source.name);
}

static int open_slide(struct image_reader *reader, struct err *err)
{
    struct slide *s = reader->state = calloc(1, sizeof *s);
    struct image_info *info = &reader->info;
    if (!s)
        return err_memory(err, "a slide");
    s->lib = openslide_find();
    s->slide = s->lib->open(reader->source.name);
    if (check(reader, s, err))
        return -1;
    double pixel_width = units_sane(property(s, "openslide.mpp-x"));
    double pixel_height = units_sane(property(s, "openslide.mpp-y"));
    if (choose_level(reader, s, pixel_width, err))
        return -1;
    reader->chose_level = true;
    s->lib->level_size(s->slide, s->level, &info->width, &info->height);
    if (s->level > 0)
        s->lib->level_size(s->slide, 0, &info->full_width, &info->full_height);
    info->channels = 3;
    info->bits = info->significant_bits = 8;
    info->pixel_width = pixel_width * s->downsample;
    info->pixel_height = pixel_height * s->downsample;
    find_background(s);
    /* what is seen need not be in this file */
    return image_check_size(reader, UINT64_MAX, err) || make_band(reader, s, err) ? -1 : 0;
}

/* ---- reading ---- */

static int fill_band(struct image_reader *reader, struct slide *s, struct err *err)
{
    int64_t left = reader->info.height - s->row;
    int64_t rows = left < s->band_rows ? left : s->band_rows;
    int64_t y = llround((double)s->row * s->downsample);
    s->lib->read_region(s->slide, s->band, 0, y, s->level, reader->info.width, rows);
    s->first = s->row;
    s->last = s->row + rows;
    return check(reader, s, err);
}

static void to_rgb(const struct slide *s, const uint32_t *from, int64_t count, uint8_t *to)
{
    for (int64_t i = 0; i < count; i++, to += 3) {
        uint32_t pixel = from[i], clear = 255 - (pixel >> 24);
        for (int c = 0; c < 3; c++) {
            uint32_t value = (pixel >> (16 - 8 * c) & 255) + (clear * s->background[c] + 127) / 255;
            to[c] = (uint8_t)(value < 255 ? value : 255);
        }
    }
}

static int read_slide(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    struct slide *s = reader->state;
    int64_t width = reader->info.width;
    uint8_t *out = to;
    for (int64_t y = 0; y < rows; y++, s->row++, out += 3 * width) {
        if ((s->row < s->first || s->row >= s->last) && fill_band(reader, s, err))
            return -1;
        to_rgb(s, s->band + (s->row - s->first) * width, width, out);
    }
    return 0;
}

static void close_slide(struct image_reader *reader)
{
    struct slide *s = reader->state;
    if (!s)
        return;
    if (s->slide)
        s->lib->close(s->slide);
    free(s->band);
    free(s);
    reader->state = NULL;
}

static void rewind_slide(struct image_reader *reader)
{
    struct slide *s = reader->state;
    s->row = 0;
}

const struct image_decoder image_slide_decoder = {"slide", open_slide, read_slide, close_slide,
                                                  rewind_slide};
