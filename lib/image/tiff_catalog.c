#include "image/tiff_catalog.h"

#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "core/num.h"

#define MAX_PAGES     100000
#define MAX_SUBIMAGES 32
#define MAX_PLANES    10000000
#define MAX_SERIES    100

/* ---- pages ---- */

struct tiff_ifd tiff_ifd_read(TIFF *tif)
{
    struct tiff_ifd ifd = {.directory = TIFFCurrentDirOffset(tif)};
    uint32_t type = 0;
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &ifd.width);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &ifd.height);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SUBFILETYPE, &type);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &ifd.samples);
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &ifd.bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &ifd.format);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PHOTOMETRIC, &ifd.photometric);
    ifd.is_reduced = type & FILETYPE_REDUCEDIMAGE;
    ifd.is_mask = type & FILETYPE_MASK;
    return ifd;
}

static int add_ifd(struct tiff_ifds *ifds, struct tiff_ifd ifd, struct err *err)
{
    if (growing_room(&ifds->ifds, ifds->count, sizeof ifd, err))
        return -1;
    ifds->ifds[ifds->count++] = ifd;
    return 0;
}

/* ---- what was cut off, of which libtiff says nothing ---- */

/* How a TIFF's directories are written. */
struct form {
    bool big_endian;
    int count, entry, offset; /* bytes of the number of entries, of each, of an offset */
};

static struct form form_of(TIFF *tif)
{
    bool big_tiff = TIFFIsBigTIFF(tif), big_endian = TIFFIsBigEndian(tif);
    return big_tiff ? (struct form){big_endian, 8, 20, 8} : (struct form){big_endian, 2, 12, 4};
}

static uint64_t number(const struct form *form, const uint8_t *bytes, int size)
{
    uint64_t n = 0;
    for (int i = 0; i < size; i++)
        n = n << 8 | bytes[form->big_endian ? i : size - 1 - i];
    return n;
}

static int is_cut(const struct image_source *source, struct err *err)
{
    return err_set(err, STATUS_DATA, "read '%s': the file is cut", source->name);
}

/* An entry, whose values lie elsewhere when they are too long for it. */
static int check_entry(const struct form *form, const struct image_source *source, int64_t at,
                       struct err *err)
{
    static const uint8_t sizes[19] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
    uint8_t bytes[20];
    uint64_t size;
    if (image_source_read(source, at, bytes, (size_t)form->entry, err))
        return -1;
    uint64_t type = number(form, bytes + 2, 2), count = number(form, bytes + 4, form->offset);
    uint64_t place = number(form, bytes + 4 + form->offset, form->offset);
    if (__builtin_mul_overflow(count, type < sizeof sizes ? sizes[type] : 0, &size))
        return is_cut(source, err);
    bool elsewhere = size > (uint64_t)form->offset;
    uint64_t all = (uint64_t)source->size;
    return elsewhere && (size > all || place > all - size) ? is_cut(source, err) : 0;
}

/* Where the directory after the one at `at` is, 0 for the last; STATUS_DATA when the file ends
 * before, or before their values. */
static int read_next(const struct form *form, const struct image_source *source, int64_t at,
                     int64_t *next, struct err *err)
{
    uint8_t bytes[8];
    if (image_source_read(source, at, bytes, (size_t)form->count, err))
        return -1;
    int entries = (int)(number(form, bytes, form->count) & 0xffff); /* libtiff takes no more */
    at += form->count;
    for (int i = 0; i < entries; i++, at += form->entry)
        if (check_entry(form, source, at, err))
            return -1;
    if (image_source_read(source, at, bytes, (size_t)form->offset, err))
        return -1;
    uint64_t offset = number(form, bytes, form->offset);
    *next = (int64_t)offset;
    return offset >= (uint64_t)source->size ? is_cut(source, err) : 0;
}

/* libtiff takes a directory that was cut off, or the offset of one, for the end of the list, and
 * values that were for none. */
static int check_last(TIFF *tif, const struct image_source *source, uint64_t directory,
                      struct err *err)
{
    struct form form = form_of(tif);
    int64_t next;
    if (read_next(&form, source, (int64_t)directory, &next, err))
        return -1;
    return next ? read_next(&form, source, next, &next, err) : 0;
}

static int list_pages(TIFF *tif, const struct image_source *source, struct tiff_catalog *catalog,
                      struct err *err)
{
    uint64_t last;
    do {
        struct tiff_ifd ifd = tiff_ifd_read(tif);
        last = ifd.directory;
        if (ifd.width && ifd.height && add_ifd(&catalog->pages, ifd, err))
            return -1;
    } while (catalog->pages.count < MAX_PAGES && TIFFReadDirectory(tif));
    return check_last(tif, source, last, err);
}

static int list_subimages(TIFF *tif, struct tiff_ifds *found, struct err *err)
{
    uint16_t count = 0;
    uint64_t *listed, offsets[MAX_SUBIMAGES];
    if (!TIFFGetField(tif, TIFFTAG_SUBIFD, &count, &listed))
        return 0;
    if (count > MAX_SUBIMAGES)
        count = MAX_SUBIMAGES;
    memcpy(offsets, listed, count * sizeof *offsets);
    for (int i = 0; i < count; i++)
        if (TIFFSetSubDirectory(tif, offsets[i]) && add_ifd(found, tiff_ifd_read(tif), err))
            return -1;
    return 0;
}

static uint64_t area(const struct tiff_ifd *ifd)
{
    return (uint64_t)ifd->width * ifd->height;
}

/* Planes of one image have the same size and the same samples. */
bool tiff_ifds_are_alike(const struct tiff_ifd *a, const struct tiff_ifd *b)
{
    return a->width == b->width && a->height == b->height && a->samples == b->samples &&
           a->bits == b->bits && a->format == b->format;
}

/* Whether `small` is `large`, shrunk: its sides' quotients are the same but for rounding. */
static bool is_shrunk(const struct tiff_ifd *small, const struct tiff_ifd *large)
{
    double across = (double)large->width / small->width;
    double down = (double)large->height / small->height;
    double rounding = 1.0 / (small->width < small->height ? small->width : small->height);
    double difference = across > down ? across / down - 1 : down / across - 1;
    return small->samples == large->samples && small->bits == large->bits &&
           area(small) < area(large) && difference <= 2 * rounding;
}

/* ---- series ---- */

struct tiff_series *tiff_catalog_add(struct tiff_catalog *catalog, const struct tiff_ifd *like,
                                     int64_t c, int64_t z, int64_t t, struct err *err)
{
    size_t planes;
    struct tiff_series made = {.like = *like, .c = c, .z = z, .t = t};
    if (growing_room(&catalog->series, catalog->count, sizeof made, err))
        return NULL;
    if (num_mul((size_t)c, (size_t)z, &planes) && num_mul(planes, (size_t)t, &planes) && planes &&
        planes <= MAX_PLANES)
        made.places = calloc(planes, sizeof *made.places);
    if (!made.places) {
        err_memory(err, "a TIFF's planes");
        return NULL;
    }
    catalog->series[catalog->count] = made;
    return &catalog->series[catalog->count++];
}

/* Pages that look like one make a series, unless they are already in one. */
static int group_like(struct tiff_catalog *catalog, const struct tiff_ifd *first, bool *taken,
                      struct err *err)
{
    const struct tiff_ifds *pages = &catalog->pages;
    int64_t count = 0;
    for (size_t i = 0; i < pages->count; i++)
        count += !taken[i] && tiff_ifds_are_alike(&pages->ifds[i], first);
    struct tiff_series *series = tiff_catalog_add(catalog, first, 1, count, 1, err);
    if (!series)
        return -1;
    series->is_known = count == 1;
    int64_t next = 0;
    for (size_t i = 0; i < pages->count; i++)
        if (!taken[i] && tiff_ifds_are_alike(&pages->ifds[i], first)) {
            series->places[next++].directory = pages->ifds[i].directory;
            taken[i] = true;
        }
    return 0;
}

static const struct tiff_ifd *largest(const struct tiff_ifds *ifds, const bool *taken)
{
    const struct tiff_ifd *best = NULL;
    for (size_t i = 0; i < ifds->count; i++)
        if ((!taken || !taken[i]) && (!best || area(&ifds->ifds[i]) > area(best)))
            best = &ifds->ifds[i];
    return best;
}

static int by_area(const void *a, const void *b)
{
    uint64_t first = area(a), second = area(b);
    return first < second ? 1 : first > second ? -1 : 0;
}

/* Copies of the only image: pages that say so or look like it, and its sub-images. */
static int list_reduced(struct tiff_catalog *catalog, bool *taken, struct err *err)
{
    const struct tiff_ifds *pages = &catalog->pages, *subimages = &catalog->subimages;
    const struct tiff_ifd *whole = &catalog->series[0].like;
    if (catalog->series[0].z > 1)
        return 0;
    for (size_t i = 0; i < pages->count + subimages->count; i++) {
        bool is_page = i < pages->count;
        const struct tiff_ifd *ifd = is_page ? &pages->ifds[i] : &subimages->ifds[i - pages->count];
        if ((is_page && taken[i] && !ifd->is_reduced) || !is_shrunk(ifd, whole))
            continue;
        if (add_ifd(&catalog->reduced, *ifd, err))
            return -1;
        if (is_page)
            taken[i] = true;
    }
    if (catalog->reduced.count)
        qsort(catalog->reduced.ifds, catalog->reduced.count, sizeof *catalog->reduced.ifds,
              by_area);
    return 0;
}

/* Masks and smaller copies are no images of their own, unless there are no others. */
static void take_others(const struct tiff_catalog *catalog, bool *taken)
{
    bool whole = false;
    for (size_t i = 0; i < catalog->pages.count; i++) {
        const struct tiff_ifd *ifd = &catalog->pages.ifds[i];
        taken[i] = ifd->is_mask || ifd->is_reduced;
        whole |= !taken[i];
    }
    if (!whole)
        memset(taken, 0, catalog->pages.count * sizeof *taken);
}

/* The largest page with all that are like it, or a sub-image of which it is a preview. */
static int add_largest(struct tiff_catalog *catalog, bool *taken, struct err *err)
{
    const struct tiff_ifd *page = largest(&catalog->pages, taken);
    const struct tiff_ifd *sub = largest(&catalog->subimages, NULL);
    if (!page || !sub || area(sub) <= area(page))
        return page ? group_like(catalog, page, taken, err) : 0;
    struct tiff_series *series = tiff_catalog_add(catalog, sub, 1, 1, 1, err);
    if (!series)
        return -1;
    series->places[0].directory = sub->directory;
    series->is_known = true;
    memset(taken, 1, catalog->pages.count * sizeof *taken);
    return 0;
}

/* Slides have pictures of their label and of the glass as well. */
static bool is_slide(const char *description)
{
    return strncmp(description, "Aperio", 6) == 0 ||
           strstr(description, "leica-microsystems.com/scn");
}

/* The pages of a file that doesn't say what they are: a series of those like the largest, and one
 * for each other kind. */
static int series_plain(struct tiff_catalog *catalog, const struct tiff_words *words,
                        struct err *err)
{
    bool *taken = calloc(catalog->pages.count + 1, sizeof *taken);
    if (!taken)
        return err_memory(err, "a TIFF's pages");
    take_others(catalog, taken);
    int rc = add_largest(catalog, taken, err);
    if (rc == 0 && catalog->count)
        rc = list_reduced(catalog, taken, err);
    const struct tiff_ifd *next;
    while (rc == 0 && catalog->count < MAX_SERIES && !is_slide(words->description) &&
           (next = largest(&catalog->pages, taken)))
        rc = group_like(catalog, next, taken, err);
    free(taken);
    return rc;
}

/* ---- what other files need ---- */

bool tiff_is_contiguous(TIFF *tif, const struct tiff_ifd *first, int64_t planes, int64_t file_size)
{
    uint16_t compression = COMPRESSION_NONE;
    uint64_t row = ((uint64_t)first->width * first->samples * first->bits + 7) / 8, bytes;
    uint64_t start = TIFFGetStrileOffset(tif, 0);
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &compression);
    if (compression != COMPRESSION_NONE || TIFFIsTiled(tif) || start > (uint64_t)file_size)
        return false;
    return !__builtin_mul_overflow(row * first->height, (uint64_t)planes, &bytes) &&
           bytes <= (uint64_t)file_size - start;
}

int tiff_series_name(struct tiff_series *series, int64_t channel, const char *name, size_t length,
                     struct err *err)
{
    while (length && (name[length - 1] == ' ' || name[length - 1] == '\0'))
        length--;
    if (length == 0 || channel >= series->c * series->like.samples)
        return 0;
    if (!series->channels)
        series->channels =
            calloc((size_t)(series->c * series->like.samples), sizeof *series->channels);
    if (!series->channels || series->channels[channel])
        return series->channels ? 0 : err_memory(err, "names of channels");
    series->channels[channel] = strndup(name, length);
    return series->channels[channel] ? 0 : err_memory(err, "names of channels");
}

/* ---- the catalog ---- */

typedef int series_of(struct tiff_catalog *catalog, const struct tiff_words *words,
                      struct err *err);

static int find_series(struct tiff_catalog *catalog, const struct tiff_words *words,
                       struct err *err)
{
    static series_of *const ways[] = {tiff_series_ome, tiff_series_lsm,    tiff_series_micromanager,
                                      tiff_series_stk, tiff_series_imagej, tiff_series_shaped,
                                      series_plain};
    for (size_t i = 0; i < sizeof ways / sizeof *ways && catalog->count == 0; i++) {
        if (!TIFFSetSubDirectory(words->tif, catalog->pages.ifds[0].directory))
            return 0;
        if (ways[i](catalog, words, err))
            return -1;
    }
    return 0;
}

static char *copy_description(TIFF *tif)
{
    const char *text = NULL;
    return strdup(TIFFGetField(tif, TIFFTAG_IMAGEDESCRIPTION, &text) && text ? text : "");
}

/* tifffile calls one bit "min is white" and writes, and shows, 1 where it is true. */
static bool is_of_tifffile(TIFF *tif)
{
    const char *text = NULL;
    return TIFFGetField(tif, TIFFTAG_SOFTWARE, &text) && text && strncmp(text, "tifffile", 8) == 0;
}

int tiff_catalog_read(const struct image_reader *reader, TIFF *tif, struct tiff_io *io,
                      struct tiff_catalog *catalog, struct err *err)
{
    *catalog = (struct tiff_catalog){.is_tifffile = is_of_tifffile(tif)};
    char *description = copy_description(tif);
    struct tiff_words words = {tif, &reader->source, description};
    int rc = description ? list_pages(tif, &reader->source, catalog, err)
                         : err_memory(err, "a TIFF's description");
    if (rc == 0 && catalog->pages.count &&
        TIFFSetSubDirectory(tif, catalog->pages.ifds[0].directory))
        rc = list_subimages(tif, &catalog->subimages, err);
    if (rc == 0 && catalog->pages.count)
        rc = find_series(catalog, &words, err);
    if (rc == 0) {
        catalog->is_imagej = strncmp(description, "ImageJ=", 7) == 0;
        io->pixels_suspect = false;
        if (catalog->count == 0)
            rc = image_bad(reader, err, "%s", tiff_io_message(io, "it has no image"));
        io->message[0] = '\0';
    }
    free(description);
    return rc;
}

void tiff_catalog_free(struct tiff_catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++) {
        struct tiff_series *series = &catalog->series[i];
        for (int64_t c = 0; series->channels && c < series->c * series->like.samples; c++)
            free(series->channels[c]);
        free(series->channels);
        free(series->places);
        free(series->name);
    }
    free(catalog->series);
    free(catalog->pages.ifds);
    free(catalog->subimages.ifds);
    free(catalog->reduced.ifds);
    *catalog = (struct tiff_catalog){.is_imagej = false};
}
