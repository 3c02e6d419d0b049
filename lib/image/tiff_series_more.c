/* What the pages of a TIFF are, by the tags of Zeiss LSM, Micro-Manager and MetaMorph. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "image/tiff_catalog.h"
#include "image/units.h"

#define TAG_LSM          34412
#define TAG_MICROMANAGER 51123
#define TAG_STK_PLANES   33629

/* The bytes of a tag that libtiff does not know; NULL when it is not there. */
static const void *get_bytes(TIFF *tif, uint32_t tag, uint32_t *count)
{
    const void *bytes = NULL;
    *count = 0;
    if (!TIFFFindField(tif, tag, TIFF_ANY) || !TIFFGetField(tif, tag, count, &bytes))
        return NULL;
    return bytes;
}

/* ---- Zeiss LSM: little-endian, as the microscope's computer ---- */

#define LSM_SIZE           112 /* of what is read here */
#define LSM_MAGIC_3        0x00300494c
#define LSM_MAGIC_4        0x00400494c
#define LSM_DIMENSIONS     8
#define LSM_VOXEL          40
#define LSM_CHANNEL_COLORS 108
#define LSM_NAMES_BYTES    4096

static uint32_t little32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static double little_double(const uint8_t *bytes)
{
    uint64_t bits = little32(bytes) | (uint64_t)little32(bytes + 4) << 32;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Names of channels: each its length and its bytes, with a zero at the end. */
static int lsm_names(struct tiff_series *series, const struct image_source *source, uint32_t offset,
                     struct err *err)
{
    uint8_t head[24], names[LSM_NAMES_BYTES];
    struct err unused;
    if (offset == 0 || image_source_read(source, offset, head, sizeof head, &unused))
        return 0;
    uint32_t size = little32(head), from = little32(head + 16);
    if (from >= size || size - from > sizeof names ||
        image_source_read(source, (int64_t)offset + from, names, size - from, &unused))
        return 0;
    uint32_t at = 0, end = size - from;
    for (int64_t c = 0; at + 4 <= end; c++) {
        uint32_t length = little32(names + at);
        at += 4;
        if (length > end - at)
            return 0;
        size_t n = strnlen((char *)names + at, length);
        if (tiff_series_name(series, c, (char *)names + at, n, err))
            return -1;
        at += length;
    }
    return 0;
}

/* Every other page is a small picture of the one before. */
static int add_lsm(struct tiff_catalog *catalog, const struct tiff_words *words,
                   const uint8_t *info, int64_t z, int64_t t, struct err *err)
{
    const struct tiff_ifds *pages = &catalog->pages;
    struct tiff_series *series = tiff_catalog_add(catalog, &pages->ifds[0], 1, z, t, err);
    if (!series)
        return -1;
    series->is_known = true;
    series->pixel_width = units_sane(little_double(info + LSM_VOXEL) * 1e6);
    series->pixel_height = units_sane(little_double(info + LSM_VOXEL + 8) * 1e6);
    int64_t next = 0;
    for (size_t i = 0; i < pages->count && next < z * t; i++)
        if (!pages->ifds[i].is_reduced && tiff_ifds_are_alike(&pages->ifds[i], &series->like))
            series->places[next++].directory = pages->ifds[i].directory;
    return lsm_names(series, words->source, little32(info + LSM_CHANNEL_COLORS), err);
}

int tiff_series_lsm(struct tiff_catalog *catalog, const struct tiff_words *words, struct err *err)
{
    uint32_t size;
    const uint8_t *info = get_bytes(words->tif, TAG_LSM, &size);
    if (!info || size < LSM_SIZE)
        return 0;
    uint32_t magic = little32(info);
    const struct tiff_ifd *first = &catalog->pages.ifds[0];
    const uint8_t *sides = info + LSM_DIMENSIONS;
    uint32_t z = little32(sides + 8), t = little32(sides + 16);
    if ((magic != LSM_MAGIC_3 && magic != LSM_MAGIC_4) || little32(sides) != first->width ||
        little32(sides + 4) != first->height || z < 1 || t < 1 ||
        (uint64_t)z * t > catalog->pages.count)
        return 0;
    return add_lsm(catalog, words, info, z, t, err);
}

/* ---- Micro-Manager: JSON in every page ---- */

struct mm_page {
    int64_t c, z, t;
    double um;
    json_t *root;
};

static int64_t mm_index(const json_t *root, const char *name, const char *older)
{
    const json_t *item = json_object_get(root, name);
    if (!item)
        item = json_object_get(root, older);
    int64_t value = json_integer_value(item);
    return json_is_integer(item) && value >= 0 && value < INT16_MAX ? value : 0;
}

/* False when the current page has no such tag. */
static bool mm_read(TIFF *tif, struct mm_page *page)
{
    uint32_t size;
    json_error_t unused;
    const char *text = get_bytes(tif, TAG_MICROMANAGER, &size);
    page->root = text ? json_load_whole(text, strnlen(text, size), 0, &unused) : NULL;
    if (!json_is_object(page->root)) {
        json_decref(page->root);
        return false;
    }
    page->c = mm_index(page->root, "ChannelIndex", "Channel");
    page->z = mm_index(page->root, "SliceIndex", "Slice");
    page->t = mm_index(page->root, "FrameIndex", "Frame");
    page->um = json_number_value(json_object_get(page->root, "PixelSizeUm"));
    if (!(page->um > 0))
        page->um = json_number_value(json_object_get(page->root, "PixelSize_um"));
    return true;
}

/* Calls `take` for each page that is like the first. */
typedef int take_mm(void *user, const struct mm_page *page, uint64_t directory, struct err *err);

static int each_mm(const struct tiff_catalog *catalog, TIFF *tif, take_mm *take, void *user,
                   struct err *err)
{
    const struct tiff_ifds *pages = &catalog->pages;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < pages->count; i++) {
        struct mm_page page;
        if (!tiff_ifds_are_alike(&pages->ifds[i], &pages->ifds[0]) ||
            !TIFFSetSubDirectory(tif, pages->ifds[i].directory) || !mm_read(tif, &page))
            continue;
        rc = take(user, &page, pages->ifds[i].directory, err);
        json_decref(page.root);
    }
    return rc;
}

static int mm_measure(void *user, const struct mm_page *page, uint64_t directory, struct err *err)
{
    struct mm_page *most = user;
    (void)directory;
    (void)err;
    most->c = page->c > most->c ? page->c : most->c;
    most->z = page->z > most->z ? page->z : most->z;
    most->t = page->t > most->t ? page->t : most->t;
    most->um = page->um > 0 ? page->um : most->um;
    return 0;
}

static int mm_place(void *user, const struct mm_page *page, uint64_t directory, struct err *err)
{
    struct tiff_series *series = user;
    const char *name = json_string_value(json_object_get(page->root, "Channel"));
    series->places[(page->t * series->z + page->z) * series->c + page->c].directory = directory;
    return name ? tiff_series_name(series, page->c * series->like.samples, name, strlen(name), err)
                : 0;
}

int tiff_series_micromanager(struct tiff_catalog *catalog, const struct tiff_words *words,
                             struct err *err)
{
    struct mm_page most = {.c = 0};
    uint32_t size;
    if (!get_bytes(words->tif, TAG_MICROMANAGER, &size) ||
        each_mm(catalog, words->tif, mm_measure, &most, err) ||
        (most.c + 1) * (most.z + 1) * (most.t + 1) > 4 * (int64_t)catalog->pages.count)
        return 0;
    struct tiff_series *series =
        tiff_catalog_add(catalog, &catalog->pages.ifds[0], most.c + 1, most.z + 1, most.t + 1, err);
    if (!series)
        return -1;
    series->is_known = true;
    series->pixel_width = series->pixel_height = units_sane(most.um);
    return each_mm(catalog, words->tif, mm_place, series, err);
}

/* ---- MetaMorph's stacks: one page, whose strip goes on with the other planes ---- */

int tiff_series_stk(struct tiff_catalog *catalog, const struct tiff_words *words, struct err *err)
{
    uint32_t planes;
    const struct tiff_ifd *first = &catalog->pages.ifds[0];
    if (!get_bytes(words->tif, TAG_STK_PLANES, &planes) || planes < 2 ||
        !tiff_is_contiguous(words->tif, first, planes, words->source->size))
        return 0;
    struct tiff_series *series = tiff_catalog_add(catalog, first, 1, planes, 1, err);
    if (!series)
        return -1;
    series->is_known = true;
    for (int64_t i = 0; i < planes; i++)
        series->places[i] = (struct tiff_place){first->directory, i};
    return 0;
}
