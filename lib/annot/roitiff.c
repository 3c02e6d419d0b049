/* ImageJ's TIFF files with their selection and overlay: the private tags 50838, sizes, and
 * 50839, a directory of kinds and counts and then the values (ij.io.TiffEncoder). */
#include <stdio.h>
#include <string.h>

#include "annot/file.h"
#include "annot/roi.h"

enum { TAG_WIDTH = 256, TAG_HEIGHT = 257, TAG_SIZES = 50838, TAG_VALUES = 50839 };

#define MAGIC   0x494a494au /* IJIJ */
#define ROI     0x726f6920u /* "roi " */
#define OVERLAY 0x6f766572u /* "over" */

/* A classic TIFF in memory. */
struct tiff {
    const unsigned char *data;
    size_t size;
    bool big_endian;
};

struct tag {
    unsigned type;
    size_t count;
    const unsigned char *values; /* all in the file; NULL: no such tag */
};

static uint32_t get(const struct tiff *tiff, const unsigned char *p, int bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)p[i] << 8 * (tiff->big_endian ? bytes - 1 - i : i);
    return value;
}

static bool is_inside(const struct tiff *tiff, size_t at, size_t size)
{
    return at <= tiff->size && size <= tiff->size - at;
}

/* A tag of the first directory with values of 1, 2 or 4 bytes. */
static struct tag find_tag(const struct tiff *tiff, unsigned wanted)
{
    static const size_t sizes[] = {0, 1, 1, 2, 4, 0, 1, 1, 2, 4};
    struct tag tag = {0};
    size_t at = get(tiff, tiff->data + 4, 4);
    size_t entries = is_inside(tiff, at, 2) ? get(tiff, tiff->data + at, 2) : 0;
    for (size_t i = 0; i < entries && is_inside(tiff, at + 2 + 12 * i, 12); i++) {
        const unsigned char *entry = tiff->data + at + 2 + 12 * i;
        unsigned type = get(tiff, entry + 2, 2);
        size_t count = get(tiff, entry + 4, 4), unit = type < 10 ? sizes[type] : 0;
        if (get(tiff, entry, 2) != wanted || unit == 0 || count == 0)
            continue;
        size_t place =
            count <= 4 / unit ? (size_t)(entry + 8 - tiff->data) : get(tiff, entry + 8, 4);
        if (is_inside(tiff, place, 0) && count <= (tiff->size - place) / unit)
            tag = (struct tag){type, count, tiff->data + place};
        break;
    }
    return tag;
}

static uint32_t number_of(const struct tiff *tiff, const struct tag *tag, size_t i)
{
    int unit = tag->type == 3 ? 2 : tag->type == 4 ? 4 : 1;
    return tag->values && i < tag->count ? get(tiff, tag->values + i * (size_t)unit, unit) : 0;
}

static struct tiff tiff_of(const struct annot_file *file)
{
    const unsigned char *data = file->bytes.data;
    return (struct tiff){data, file->bytes.size, data[0] == 'M'};
}

static bool is_tiff(const struct annot_file *file)
{
    const unsigned char *p = file->bytes.data;
    return file->bytes.size >= 8 && (memcmp(p, "II*\0", 4) == 0 || memcmp(p, "MM\0*", 4) == 0);
}

static int open_tiff(struct annot_file *file, struct err *err)
{
    struct tiff tiff = tiff_of(file);
    struct tag width = find_tag(&tiff, TAG_WIDTH), height = find_tag(&tiff, TAG_HEIGHT);
    if (!find_tag(&tiff, TAG_VALUES).values || !find_tag(&tiff, TAG_SIZES).values)
        return err_set(err, STATUS_DATA, "a TIFF without ImageJ's ROIs inside");
    return file_add_image(file, file->path, NULL, number_of(&tiff, &width, 0),
                          number_of(&tiff, &height, 0), err);
}

/* Calls for each value its kind, the ROIs among them being given. */
static int read_values(struct annot_file *file, const struct tiff *tiff, const struct tag *sizes,
                       const struct tag *values, struct build *build, annot_take *take, void *user,
                       struct err *err)
{
    const unsigned char *head = values->values;
    size_t head_size = number_of(tiff, sizes, 0), at = head_size, value = 1, number = 0;
    if (head_size < 4 || head_size > values->count || get(tiff, head, 4) != MAGIC)
        return err_set(err, STATUS_DATA, "ImageJ's metadata are broken");
    for (size_t i = 4; i + 8 <= head_size; i += 8) {
        uint32_t kind = get(tiff, head + i, 4), count = get(tiff, head + i + 4, 4);
        for (uint32_t k = 0; k < count; k++, value++) {
            size_t size = number_of(tiff, sizes, value);
            if (value >= sizes->count || size > values->count - at)
                return err_set(err, STATUS_DATA, "ImageJ's metadata are cut");
            if ((kind == ROI || kind == OVERLAY) &&
                roi_give(file, build, head + at, size, "ROI", ++number, take, user, err))
                return -1;
            at += size;
        }
    }
    return number ? 0 : err_set(err, STATUS_DATA, "a TIFF without ImageJ's ROIs inside");
}

static int read_tiff(struct annot_file *file, size_t image, annot_take *take, void *user,
                     struct err *err)
{
    struct tiff tiff = tiff_of(file);
    struct tag sizes = find_tag(&tiff, TAG_SIZES), values = find_tag(&tiff, TAG_VALUES);
    struct build build = build_new();
    (void)image;
    int result = read_values(file, &tiff, &sizes, &values, &build, take, user, err);
    build_free(&build);
    return result;
}

const struct annot_reader read_roi_tiff = {is_tiff, open_tiff, read_tiff};
