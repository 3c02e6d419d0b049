#include "tiles/cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/io.h"
#include "core/names.h"
#include "core/notice.h"
#include "image/pairs.h"
#include "image/rows.h"
#include "pixels/mend.h"
#include "pixels/normalize.h"
#include "pixels/range.h"
#include "pixels/resample.h"

struct cutter {
    const struct cut_options *options;
    struct stream_writer *writer;
    struct names used; /* keys */
    bool write_failed;
    /* The image that is cut. */
    const struct joined *files;
    const char *path;              /* or what joined files are called */
    char key[SAMPLE_MAX_NAME / 2]; /* before the tile's own part */
    struct rows image, mask;       /* mask: only with a folder of them */
    struct tiling tiling;
    struct tile_meta meta;    /* what all its tiles share */
    uint64_t tiles;           /* written */
    uint64_t not_finite, hot; /* pixels mended, in all its tiles */
    /* Its last tile, which waits: it says so when no others can follow. */
    struct sample held; /* without a key: none waits */
    struct tile_meta held_meta;
};

int cutter_new(struct cutter **cutter, const struct cut_options *options,
               struct stream_writer *writer, struct err *err)
{
    *cutter = calloc(1, sizeof **cutter);
    if (!*cutter)
        return err_memory(err, "an image");
    (*cutter)->options = options;
    (*cutter)->writer = writer;
    return 0;
}

void cutter_free(struct cutter *cutter)
{
    if (cutter)
        names_free(&cutter->used);
    free(cutter);
}

static const char *source_name(const struct cutter *c)
{
    return strcmp(c->path, "-") == 0 ? "stdin" : c->path;
}

/* ---- a tile ---- */

static struct tile_meta tile_place(const struct cutter *c, const struct tiling_level *level,
                                   int64_t column)
{
    double side = (double)c->options->resize;
    struct tile_meta meta = c->meta;
    struct tiling_window window = tiling_window(&c->tiling, level, column);
    meta.x = window.x;
    meta.y = window.y;
    meta.width = window.width;
    meta.height = window.height;
    meta.pad_right = window.pad_right;
    meta.pad_bottom = window.pad_bottom;
    meta.index = window.index;
    meta.scale_x = side > 0 ? side / (double)meta.width : 1;
    meta.scale_y = side > 0 ? side / (double)meta.height : 1;
    return meta;
}

static int resize(struct array *tile, size_t side, bool labels, struct err *err)
{
    struct array resized;
    if (resample_new(tile, 0, side, side, labels, &resized, err))
        return -1;
    array_free(tile);
    *tile = resized;
    return 0;
}

/* mended: of an image; NULL for a mask. */
static int add_window(struct cutter *c, struct sample *sample, const char *name,
                      const struct rows *source, const struct tile_meta *meta,
                      struct mended *mended, struct err *err)
{
    struct array tile;
    double peak;
    if (rows_window(source, meta->x, meta->y, meta->width, meta->height, &tile,
                    mended ? &peak : NULL, err))
        return -1;
    if (mended)
        mend_pixels(&tile, peak, (size_t)(meta->height - meta->pad_bottom),
                    (size_t)(meta->width - meta->pad_right), mended);
    if (c->options->resize && resize(&tile, (size_t)c->options->resize, source->labels, err)) {
        array_free(&tile);
        return -1;
    }
    return sample_put_array(sample, name, &tile, err);
}

static int fill_sample(struct cutter *c, struct sample *sample, const struct tile_meta *meta,
                       struct err *err)
{
    struct mended mended;
    if (add_window(c, sample, "image", &c->image, meta, &mended, err))
        return -1;
    c->not_finite += mended.not_finite;
    c->hot += mended.hot;
    if (c->options->masks && add_window(c, sample, "mask", &c->mask, meta, NULL, err))
        return -1;
    return sample_put_meta(sample, meta, err);
}

static int release_tile(struct cutter *c, struct err *err)
{
    int result = c->held.key ? stream_put(c->writer, &c->held, err) : 0;
    sample_free(&c->held);
    c->write_failed |= result < 0;
    return result;
}

static int put_tile(struct cutter *c, const struct tiling_level *level, int64_t column,
                    struct err *err)
{
    char key[SAMPLE_MAX_NAME];
    char size[16] = "full";
    struct sample sample;
    struct tile_meta meta = tile_place(c, level, column);
    if (level->size)
        snprintf(size, sizeof size, "%lld", (long long)level->size);
    snprintf(key, sizeof key, "%s/%s/y%06lld-x%06lld", c->key, size, (long long)meta.y,
             (long long)meta.x);
    if (sample_init(&sample, key, err))
        return -1;
    if (fill_sample(c, &sample, &meta, err) || release_tile(c, err)) {
        sample_free(&sample);
        return -1;
    }
    c->held = sample;
    c->held_meta = meta;
    c->tiles++;
    return 0;
}

static int cut_rows(struct cutter *c, struct err *err)
{
    struct tiling_level *level;
    while ((level = tiling_next(&c->tiling))) {
        int64_t top = grid_start(&level->grid.y, level->row);
        int64_t bottom = top + level->grid.y.size;
        if (rows_need(&c->image, top, bottom, err) ||
            (c->options->masks && rows_need(&c->mask, top, bottom, err)))
            return err_prefix(err, "tile '%s'", c->path);
        for (int64_t column = 0; column < level->grid.x.count; column++)
            if (put_tile(c, level, column, err))
                return -1;
        level->row++;
    }
    return 0;
}

/* ---- an image ---- */

static int open_mask(struct cutter *c, struct err *err)
{
    char path[4096];
    if (pairs_find_mask(c->options->masks, c->files->paths[0], c->options->mask_suffix, path,
                        sizeof path, err))
        return -1;
    return rows_open_mask(&c->mask, path, &c->image, err);
}

static int find_range(struct cutter *c, const char *readable, struct err *err)
{
    double low, high;
    enum cut_range range = c->options->range;
    if (range == CUT_NONE)
        return 0;
    double percentile = range == CUT_EXTREMES ? 0 : NORMALIZE_LOW;
    int result = range_of_image(readable, &c->image, percentile, &low, &high, err);
    if (result)
        return range == CUT_NOTED && result == 1 ? 0 : -1;
    if (range == CUT_NOTED) {
        c->meta.range_low = low;
        c->meta.range_high = high;
        return 0;
    }
    c->meta.normalize_offset = low;
    c->meta.normalize_gain = high > low ? 1 / (high - low) : 1;
    return 0;
}

static int describe(struct cutter *c, const char *readable, struct err *err)
{
    const struct image_info *info = c->image.info;
    struct tile_meta *meta = &c->meta;
    if (strlen(c->path) >= sizeof meta->source)
        return err_set(err, STATUS_DATA, "read '%s': the name is too long", c->path);
    *meta = (struct tile_meta){.source_width = info->width,
                               .source_height = info->height,
                               .full_width = (double)info->full_width,
                               .full_height = (double)info->full_height,
                               .source_channels = info->channels,
                               .source_bits = info->bits,
                               .pixel_width = info->pixel_width,
                               .pixel_height = info->pixel_height};
    meta->mask_unit = c->mask.maximum;
    strcpy(meta->source, source_name(c));
    return digest_identity(readable, meta->id, err) ? -1 : find_range(c, readable, err);
}

/* One for each image, whatever their names. */
static int choose_key(struct cutter *c, struct err *err)
{
    char *stem = sample_key_from_path(source_name(c));
    if (!stem)
        return err_memory(err, "a key");
    int result = names_number(&c->used, stem, c->key, sizeof c->key, err);
    free(stem);
    return result;
}

static int cut(struct cutter *c, const char *readable, struct err *err)
{
    const char *const *paths = c->files->count > 1 ? c->files->paths : &readable;
    if (rows_open_joined(&c->image, paths, c->files->count, c->options->channels, err) ||
        rows_check_image(&c->image, c->path, err) || (c->options->masks && open_mask(c, err)) ||
        describe(c, readable, err) || choose_key(c, err) ||
        tiling_new(&c->tiling, &c->options->tiling, c->image.info->width, c->image.info->height,
                   err))
        return -1;
    c->meta.count = c->tiling.count;
    if (c->meta.count == 0)
        return err_set(err, STATUS_DATA, "cut '%s': it is smaller than a tile and gives none",
                       c->path);
    return cut_rows(c, err);
}

/* Tells later programs that the image is not there, or not all of it. */
static int tell_failure(struct cutter *c, const char *reason)
{
    struct err err;
    if (c->held.key) {
        snprintf(c->held_meta.incomplete, sizeof c->held_meta.incomplete, "%.500s", reason);
        if (sample_put_meta(&c->held, &c->held_meta, &err))
            return -1;
    }
    return stream_note_failure(c->writer, source_name(c), c->tiles, reason, &err);
}

/* Overlapping tiles count a pixel more than once, so no number is said. */
static void tell_mended(const struct cutter *c)
{
    if (c->not_finite)
        notice("read '%s': pixels that are no numbers take the mean of their neighbors", c->path);
    if (c->hot)
        notice("read '%s': hot pixels take the mean of their neighbors", c->path);
}

static void forget_image(struct cutter *c)
{
    rows_close(&c->image);
    rows_close(&c->mask);
    c->image = c->mask = (struct rows){0};
    c->tiles = c->not_finite = c->hot = 0;
}

int cutter_add(struct cutter *cutter, const struct joined *image, struct err *err)
{
    struct err late;
    cutter->files = image;
    cutter->path = image->name;
    const char *readable = io_reopenable(image->paths[0], err);
    int result = readable ? cut(cutter, readable, err) : -1;
    if (result && !cutter->write_failed)
        result = tell_failure(cutter, err->message) ? -1 : 1;
    if (release_tile(cutter, result ? &late : err)) {
        *err = result ? late : *err;
        result = -1;
    }
    tell_mended(cutter);
    forget_image(cutter);
    return result;
}
