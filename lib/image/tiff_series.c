/* What the pages of a TIFF are, by OME-XML, ImageJ's words and tifffile's. */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/num.h"
#include "image/ome.h"
#include "image/tiff_catalog.h"

#define MOST_PLANES 1000000 /* of an image, some of which may be in other files */

/* ---- planes in some order of their axes ---- */

/* axis[0] changes first from plane to plane. */
struct walk {
    char axis[3]; /* C, Z and T */
    int64_t size[3];
};

static struct walk walk_of(const char *order, int64_t c, int64_t z, int64_t t)
{
    struct walk walk;
    for (int i = 0; i < 3; i++) {
        walk.axis[i] = order[i];
        walk.size[i] = order[i] == 'C' ? c : order[i] == 'Z' ? z : t;
    }
    return walk;
}

static int64_t number_of(const struct walk *walk, int64_t c, int64_t z, int64_t t)
{
    int64_t number = 0;
    for (int i = 2; i >= 0; i--) {
        int64_t index = walk->axis[i] == 'C' ? c : walk->axis[i] == 'Z' ? z : t;
        number = number * walk->size[i] + index;
    }
    return number;
}

/* The place in series->places of the plane with that number. */
static int64_t place_of(const struct walk *walk, const struct tiff_series *series, int64_t number)
{
    int64_t c = 0, z = 0, t = 0;
    for (int i = 0; i < 3; i++) {
        int64_t index = number % walk->size[i];
        number /= walk->size[i];
        *(walk->axis[i] == 'C' ? &c : walk->axis[i] == 'Z' ? &z : &t) = index;
    }
    return (t * series->z + z) * series->c + c;
}

static int64_t planes_of(const struct tiff_series *series)
{
    return series->c * series->z * series->t;
}

/* One page each, or all in the first page's strip; -1 without memory. */
static int add_in_order(struct tiff_catalog *catalog, const struct tiff_words *words,
                        const char *order, const int64_t czt[3], bool is_known, struct err *err)
{
    const struct tiff_ifds *pages = &catalog->pages;
    const struct tiff_ifd *first = &pages->ifds[0];
    struct walk walk = walk_of(order, czt[0], czt[1], czt[2]);
    int64_t planes = czt[0] * czt[1] * czt[2], alike = 0;
    for (size_t i = 0; i < pages->count; i++)
        alike += tiff_ifds_are_alike(&pages->ifds[i], first);
    bool together = pages->count == 1 && planes > 1;
    if (together ? !tiff_is_contiguous(words->tif, first, planes, words->source->size)
                 : alike < planes)
        return 0;
    struct tiff_series *series = tiff_catalog_add(catalog, first, czt[0], czt[1], czt[2], err);
    if (!series)
        return -1;
    series->is_known = is_known;
    int64_t next = 0;
    for (size_t i = 0; next < planes; i += !together)
        if (tiff_ifds_are_alike(&pages->ifds[i], first)) {
            series->places[place_of(&walk, series, next)] =
                (struct tiff_place){pages->ifds[i].directory, together ? next : 0};
            next++;
        }
    return 0;
}

/* ---- OME-XML ---- */

/* Samples of a plane: RGB has three in one. */
static int64_t samples_of(const struct ome_image *image, const struct tiff_ifd *page)
{
    int64_t samples = image->channel_count ? image->channels[0].samples : 1;
    if (samples > 1 && image->c % samples == 0)
        return samples;
    return page->samples > 1 && image->c % page->samples == 0 ? page->samples : 1;
}

static void put_planes(struct tiff_series *series, const struct tiff_ifds *pages,
                       const struct walk *walk, int64_t number, int64_t ifd, int64_t count)
{
    for (int64_t i = 0; i < count && number + i < planes_of(series); i++, ifd++) {
        if (ifd >= (int64_t)pages->count)
            return;
        if (tiff_ifds_are_alike(&pages->ifds[ifd], &series->like))
            series->places[place_of(walk, series, number + i)].directory =
                pages->ifds[ifd].directory;
    }
}

/* Without TiffData, or with one that says nothing, planes are pages in order. */
static void put_data(struct tiff_series *series, const struct tiff_ifds *pages,
                     const struct ome_image *image, int64_t first, int64_t samples)
{
    struct walk walk = walk_of(image->order + 2, series->c, series->z, series->t);
    if (image->data_count == 0)
        put_planes(series, pages, &walk, 0, first, planes_of(series));
    for (size_t i = 0; i < image->data_count; i++) {
        const struct ome_data *d = &image->data[i];
        int64_t c = d->c < 0 ? 0 : d->c / samples, z = d->z < 0 ? 0 : d->z;
        int64_t t = d->t < 0 ? 0 : d->t;
        if (d->elsewhere || c >= series->c || z >= series->z || t >= series->t)
            continue;
        put_planes(series, pages, &walk, number_of(&walk, c, z, t), d->ifd < 0 ? first : d->ifd,
                   d->count < 0 ? planes_of(series) : d->count);
    }
}

/* The page that the first plane of an image has, if it says so. */
static int64_t first_page(const struct ome_image *image, int64_t otherwise)
{
    for (size_t i = 0; i < image->data_count; i++)
        if (!image->data[i].elsewhere)
            return image->data[i].ifd < 0 ? otherwise : image->data[i].ifd;
    return otherwise;
}

static int name_channels(struct tiff_series *series, const struct ome_image *image, struct err *err)
{
    for (size_t i = 0; i < image->channel_count; i++) {
        const char *name = image->channels[i].name;
        if (name &&
            tiff_series_name(series, (int64_t)i * series->like.samples, name, strlen(name), err))
            return -1;
    }
    return 0;
}

static bool is_sensible(const struct ome_image *image, const struct tiff_ifd *page)
{
    int64_t planes;
    return (image->width == 0 || image->width == page->width) &&
           (image->height == 0 || image->height == page->height) && image->c >= 1 &&
           image->z >= 1 && image->t >= 1 && !__builtin_mul_overflow(image->c, image->z, &planes) &&
           !__builtin_mul_overflow(planes, image->t, &planes) && planes <= MOST_PLANES;
}

static int add_image(struct tiff_catalog *catalog, const struct ome_image *image, int64_t *next,
                     struct err *err)
{
    const struct tiff_ifds *pages = &catalog->pages;
    int64_t first = first_page(image, *next);
    if (first >= (int64_t)pages->count || !is_sensible(image, &pages->ifds[first]))
        return 0;
    const struct tiff_ifd *like = &pages->ifds[first];
    int64_t samples = samples_of(image, like);
    struct tiff_series *series =
        tiff_catalog_add(catalog, like, image->c / samples, image->z, image->t, err);
    if (!series)
        return -1;
    series->is_known = true;
    series->pixel_width = image->pixel_width;
    series->pixel_height = image->pixel_height;
    series->name = image->name ? strdup(image->name) : NULL;
    put_data(series, pages, image, first, samples);
    *next = first + planes_of(series);
    return name_channels(series, image, err);
}

int tiff_series_ome(struct tiff_catalog *catalog, const struct tiff_words *words, struct err *err)
{
    struct ome ome;
    int64_t next = 0;
    int rc = 0;
    if (!ome_is(words->description))
        return 0;
    if (ome_read(&ome, words->description, err))
        return -1;
    for (size_t i = 0; rc == 0 && i < ome.count; i++)
        rc = add_image(catalog, &ome.images[i], &next, err);
    ome_free(&ome);
    return rc;
}

/* ---- ImageJ ---- */

static int64_t imagej_number(const char *description, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = description; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == '=') {
            long long value = strtoll(line + length + 1, NULL, 10);
            return value >= 1 && value <= INT32_MAX ? value : 1;
        }
    }
    return 1;
}

int tiff_series_imagej(struct tiff_catalog *catalog, const struct tiff_words *words,
                       struct err *err)
{
    const char *text = words->description;
    if (strncmp(text, "ImageJ=", 7) != 0 || imagej_number(text, "images") == 1)
        return 0;
    int64_t images = imagej_number(text, "images"), c = imagej_number(text, "channels");
    int64_t z = imagej_number(text, "slices"), t = imagej_number(text, "frames");
    bool agrees =
        c <= images && z <= images && t <= images && c * z <= images && c * z * t == images;
    int64_t czt[3] = {agrees ? c : 1, agrees ? z : images, agrees ? t : 1};
    return add_in_order(catalog, words, "CZT", czt, agrees, err);
}

/* ---- tifffile ---- */

/* {"shape": [3, 60, 60], "axes": "CYX"}: how many dimensions come before Y and X. */
static size_t leading_axes(const json_t *shape, const struct tiff_ifd *page)
{
    size_t count = json_array_size(shape), image = page->samples > 1 ? 3 : 2;
    return count > image ? count - image : 0;
}

/* The axes before Y and X from the last to the first, and then those that are missing; false when
 * one of them is none of C, Z and T, or is there twice. */
static bool read_axes(const json_t *root, size_t leading, char order[4], int64_t czt[3])
{
    static const char all[] = "CZT";
    const json_t *shape = json_object_get(root, "shape");
    const char *axes = json_string_value(json_object_get(root, "axes"));
    size_t n = 0;
    if (!axes || strlen(axes) != json_array_size(shape) || leading > 3)
        return false;
    for (size_t i = leading; i-- > 0;) {
        const char *axis = strchr(all, axes[i]);
        if (!axis || memchr(order, axes[i], n))
            return false;
        czt[axis - all] = json_integer_value(json_array_get(shape, i));
        order[n++] = axes[i];
    }
    for (int i = 0; i < 3; i++)
        if (!memchr(order, all[i], n))
            order[n++] = all[i];
    return true;
}

/* The product of the leading dimensions; 0 when one is no number of planes. */
static int64_t count_planes(const json_t *shape, size_t leading)
{
    int64_t planes = 1;
    for (size_t i = 0; i < leading; i++) {
        int64_t size = json_integer_value(json_array_get(shape, i));
        if (size < 1 || size > INT32_MAX || planes > INT32_MAX / size)
            return 0;
        planes *= size;
    }
    return planes;
}

int tiff_series_shaped(struct tiff_catalog *catalog, const struct tiff_words *words,
                       struct err *err)
{
    json_error_t unused;
    if (strncmp(words->description, "{\"shape\":", 9) != 0)
        return 0;
    json_t *root = json_load_whole(words->description, strlen(words->description), 0, &unused);
    const json_t *shape = json_object_get(root, "shape");
    size_t leading = leading_axes(shape, &catalog->pages.ifds[0]);
    int64_t planes = count_planes(shape, leading), czt[3] = {1, 1, 1};
    char order[4] = "CZT";
    bool is_known = planes > 1 && read_axes(root, leading, order, czt);
    json_decref(root);
    if (planes <= 1)
        return 0;
    if (!is_known) {
        czt[0] = czt[2] = 1;
        czt[1] = planes;
        memcpy(order, "CZT", 4);
    }
    return add_in_order(catalog, words, order, czt, is_known, err);
}
