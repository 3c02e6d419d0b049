/* tile: images to a tensor stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/band.h"
#include "core/channels.h"
#include "core/digest.h"
#include "core/io.h"
#include "core/names.h"
#include "core/num.h"
#include "image/pairs.h"
#include "image/rows.h"
#include "pixels/mend.h"
#include "pixels/normalize.h"
#include "pixels/range.h"
#include "pixels/resample.h"
#include "stream/stream.h"
#include "tiles/tiling.h"

#define MAX_SIZE 65535

enum range { RANGE_NOTED, RANGE_NONE, RANGE_EXTREMES, RANGE_PERCENTILES };

static struct {
    struct tiling_options tiling; /* 56 pixels are shared, a quarter of the side of smaller tiles */
    int64_t part[2];              /* I/N */
    int64_t resize;               /* 0: not */
    const char *masks, *mask_suffix;
    enum channels_wish channels;
    enum range range;
} settings = {
    .tiling = {.sizes = {224}, .size_count = 1, .overlap = {.amount = 56}, .overlap_is_cut = true},
    .part = {1, 1},
    .mask_suffix = "_mask",
};

static int read_overlap(const char *text, struct err *err)
{
    settings.tiling.overlap_is_cut = false;
    return grid_parse_overlap(text, &settings.tiling.overlap, err);
}

static const struct cli_option options[] = {
    {'s', "size", "SIZE[,SIZE...]", "side of a tile in pixels, or full (default 224)",
     CLI_INT(settings.tiling.sizes[0], 1, MAX_SIZE), CLI_WORD_FOR_ZERO("full"),
     CLI_LIST(settings.tiling.size_count, TILING_MAX_SIZES)},
    {'o', "overlap", "PIXELS|PERCENT%", "what neighbours share (default 56, less for small tiles)",
     CLI_CALL(read_overlap)},
    {'r', "resize", "SIZE", "resize every tile to SIZE x SIZE",
     CLI_INT(settings.resize, 1, MAX_SIZE)},
    {0, "edge", "shift|pad|fit",
     "move windows that cross the border inside (default), pad them, or leave them out",
     CLI_CHOICE(settings.tiling.edge)},
    {'m', "masks", "DIR", "add the masks of this folder, matched by stem",
     CLI_TEXT(settings.masks)},
    {0, "mask-suffix", "TEXT", "what a mask's stem ends with (default _mask)",
     CLI_TEXT(settings.mask_suffix)},
    {0, "gray", NULL, "one channel", CLI_SET(settings.channels, CHANNELS_GREY)},
    {0, "rgb", NULL, "three channels", CLI_SET(settings.channels, CHANNELS_RGB)},
    {0, "normalize", "auto|none|minmax|percentile",
     "let networks see the whole image's range as 0 to 1 (default auto: those that ask for it)",
     CLI_CHOICE(settings.range)},
    PLANES_OPTIONS,
    {0, "part", "I/N", "only the I-th of N parts, by whole rows of tiles",
     CLI_INT(settings.part[0], 1, 1000000), CLI_PARTS(2, '/')},
    {0},
};

static const struct cli_program program = {
    .name = "tile",
    .purpose = "cut images into a tensor stream",
    .synopsis = "[options] [IMAGE...]",
    .options = options,
    .notes = "Without IMAGE, or for -, an image is read from standard input.",
};

/* ---- the range of a whole image ---- */

static int normalise(const char *path, const struct rows *image, struct tile_meta *meta,
                     struct err *err)
{
    double low, high;
    if (settings.range == RANGE_NONE)
        return 0;
    double percentile = settings.range == RANGE_EXTREMES ? 0 : NORMALISE_LOW;
    if (range_of_image(path, image, percentile, &low, &high, err))
        return settings.range == RANGE_NOTED && err->status == STATUS_DATA ? 0 : -1;
    if (settings.range == RANGE_NOTED) {
        meta->range_low = low;
        meta->range_high = high;
        return 0;
    }
    meta->normalise_offset = low;
    meta->normalise_gain = high > low ? 1 / (high - low) : 1;
    return 0;
}

/* ---- masks ---- */

static int open_mask(struct rows *mask, const struct rows *image, const char *image_path,
                     struct err *err)
{
    char path[4096];
    if (pairs_find_mask(settings.masks, image_path, settings.mask_suffix, path, sizeof path, err) ||
        rows_open_mask(mask, path, image, err))
        return -1;
    return 0;
}

/* ---- tiles ---- */

struct job {
    const char *path;
    char key[SAMPLE_MAX_NAME / 2]; /* before the tile's own part */
    struct rows image, mask;       /* mask: only with settings.masks */
    struct tiling tiling;
    struct tile_meta meta;    /* what all tiles share */
    uint64_t tiles;           /* written */
    uint64_t not_finite, hot; /* pixels mended, in all tiles */
};

static struct tile_meta tile_place(const struct job *job, const struct tiling_level *level,
                                   int64_t column)
{
    struct tile_meta meta = job->meta;
    struct tiling_window window = tiling_window(&job->tiling, level, column);
    meta.x = window.x;
    meta.y = window.y;
    meta.width = window.width;
    meta.height = window.height;
    meta.pad_right = window.pad_right;
    meta.pad_bottom = window.pad_bottom;
    meta.index = window.index;
    meta.scale_x = settings.resize ? (double)settings.resize / (double)meta.width : 1;
    meta.scale_y = settings.resize ? (double)settings.resize / (double)meta.height : 1;
    return meta;
}

static int resize(struct array *tile, bool labels, struct err *err)
{
    struct array resized;
    size_t side = (size_t)settings.resize;
    if (resample_new(tile, 0, side, side, labels, &resized, err))
        return -1;
    array_free(tile);
    *tile = resized;
    return 0;
}

static int add_window(struct sample *sample, const char *name, const struct rows *source,
                      const struct tile_meta *meta, struct mended *mended, struct err *err)
{
    struct array tile;
    double peak;
    bool mends = !source->labels;
    if (rows_window(source, meta->x, meta->y, meta->width, meta->height, &tile,
                    mends ? &peak : NULL, err))
        return -1;
    if (mends)
        mend_pixels(&tile, peak, (size_t)(meta->height - meta->pad_bottom),
                    (size_t)(meta->width - meta->pad_right), mended);
    if (settings.resize && resize(&tile, source->labels, err)) {
        array_free(&tile);
        return -1;
    }
    return sample_put_array(sample, name, &tile, err);
}

static int fill_sample(struct sample *sample, struct job *job, const struct tile_meta *meta,
                       struct err *err)
{
    struct mended mended;
    if (add_window(sample, "image", &job->image, meta, &mended, err))
        return -1;
    job->not_finite += mended.not_finite;
    job->hot += mended.hot;
    if (settings.masks && add_window(sample, "mask", &job->mask, meta, NULL, err))
        return -1;
    return sample_put_meta(sample, meta, err);
}

/* The image's last tile, which waits: it says so when no others can follow. */
static struct {
    struct sample sample; /* without a key: none waits */
    struct tile_meta meta;
} held;

static void release_tile(struct stream_writer *writer)
{
    struct err err;
    if (held.sample.key && stream_put(writer, &held.sample, &err))
        cli_die_err(&err); /* nobody reads on, or the disk is full: no use to go on */
    sample_free(&held.sample);
}

static int put_tile(struct stream_writer *writer, struct job *job, const struct tiling_level *level,
                    int64_t column, struct err *err)
{
    char key[SAMPLE_MAX_NAME];
    char size[16] = "full";
    struct sample sample;
    struct tile_meta meta = tile_place(job, level, column);
    if (level->size)
        snprintf(size, sizeof size, "%lld", (long long)level->size);
    snprintf(key, sizeof key, "%s/%s/y%06lld-x%06lld", job->key, size, (long long)meta.y,
             (long long)meta.x);
    if (sample_init(&sample, key, err))
        return -1;
    if (fill_sample(&sample, job, &meta, err)) {
        sample_free(&sample);
        return -1;
    }
    release_tile(writer);
    held.sample = sample;
    held.meta = meta;
    job->tiles++;
    return 0;
}

/* Tells later programs that the image is not there, or not all of it. */
static void tell_failure(struct stream_writer *writer, const struct job *job, const char *reason)
{
    struct err err;
    const char *name = strcmp(job->path, "-") == 0 ? "stdin" : job->path;
    if (held.sample.key) {
        snprintf(held.meta.incomplete, sizeof held.meta.incomplete, "%.500s", reason);
        if (sample_put_meta(&held.sample, &held.meta, &err))
            cli_die_err(&err);
    }
    if (stream_note_failure(writer, name, job->tiles, reason, &err))
        cli_die_err(&err);
}

static int cut_rows(struct stream_writer *writer, struct job *job, struct err *err)
{
    struct tiling_level *level;
    while ((level = tiling_next(&job->tiling))) {
        int64_t top = grid_start(&level->grid.y, level->row);
        int64_t bottom = top + level->grid.y.size;
        if (rows_need(&job->image, top, bottom, err) ||
            (settings.masks && rows_need(&job->mask, top, bottom, err)))
            return err_prefix(err, "tile '%s'", job->path);
        for (int64_t column = 0; column < level->grid.x.count; column++)
            if (put_tile(writer, job, level, column, err))
                return -1;
        level->row++;
    }
    return 0;
}

/* ---- keys: one for each image, whatever their names ---- */

static int choose_key(struct job *job, struct err *err)
{
    static struct names used;
    char *stem = sample_key_from_path(strcmp(job->path, "-") == 0 ? "stdin" : job->path);
    if (!stem)
        return err_memory(err, "a key");
    int result = names_number(&used, stem, job->key, sizeof job->key, err);
    free(stem);
    return result;
}

/* ---- images ---- */

static int describe(struct job *job, const char *readable, struct err *err)
{
    const struct image_info *info = job->image.info;
    struct tile_meta *meta = &job->meta;
    if (strlen(job->path) >= sizeof meta->source)
        return err_set(err, STATUS_DATA, "read '%s': the name is too long", job->path);
    *meta = (struct tile_meta){.source_width = info->width,
                               .source_height = info->height,
                               .source_channels = info->channels,
                               .source_bits = info->bits,
                               .pixel_width = info->pixel_width,
                               .pixel_height = info->pixel_height};
    meta->mask_unit = job->mask.maximum;
    strcpy(meta->source, strcmp(job->path, "-") == 0 ? "stdin" : job->path);
    if (digest_identity(readable, meta->id, err))
        return -1;
    return normalise(readable, &job->image, meta, err);
}

/* Overlapping tiles count a pixel more than once, so no number is said. */
static void tell_mended(const struct job *job)
{
    if (job->not_finite)
        cli_warn("read '%s': pixels that are no numbers take the mean of their neighbors",
                 job->path);
    if (job->hot)
        cli_warn("read '%s': hot pixels take the mean of their neighbors", job->path);
}

static int run_job(struct stream_writer *writer, struct job *job, const char *readable,
                   struct err *err)
{
    if (rows_open(&job->image, readable, settings.channels, err) ||
        rows_check_image(&job->image, job->path, err) ||
        (settings.masks && open_mask(&job->mask, &job->image, job->path, err)) ||
        describe(job, readable, err) || choose_key(job, err) ||
        tiling_new(&job->tiling, &settings.tiling, job->image.info->width, job->image.info->height,
                   err))
        return -1;
    job->meta.count = job->tiling.count;
    if (job->meta.count == 0)
        return err_set(err, STATUS_DATA, "cut '%s': it is smaller than a tile and gives none",
                       job->path);
    return cut_rows(writer, job, err);
}

static int tile_image(struct stream_writer *writer, const char *path, struct err *err)
{
    static struct job job;
    const char *file = io_reopenable(path, err);
    job = (struct job){.path = path};
    int result = file ? run_job(writer, &job, file, err) : -1;
    if (result)
        tell_failure(writer, &job, err->message);
    release_tile(writer);
    tell_mended(&job);
    rows_close(&job.image);
    rows_close(&job.mask);
    return result;
}

/* The number of images that failed; *err has the last failure. */
static int tile_images(struct stream_writer *writer, char **paths, int count, struct err *err)
{
    int failed = 0;
    for (int i = 0; i < count; i++) {
        cli_progress("images", (uint64_t)i, (uint64_t)count);
        if (tile_image(writer, paths[i], err) == 0)
            continue;
        failed++;
        cli_warn_err(err);
    }
    return failed;
}

int main(int argc, char **argv)
{
    struct stream_writer *writer;
    struct err err;
    cli_start(&program, argc, argv);
    settings.tiling.part = settings.part[0];
    settings.tiling.parts = settings.part[1];
    if (settings.tiling.part > settings.tiling.parts)
        cli_die_usage("--part: there is no part %lld of %lld", (long long)settings.tiling.part,
                      (long long)settings.tiling.parts);
    if (tiling_check(&settings.tiling, &err))
        cli_die_usage("%s", err.message);
    char **paths = cli_inputs();
    int count = cli_operand_count() ? cli_operand_count() : 1;
    cli_refuse_terminal("a tensor stream");
    struct stream_author author = {.program = program.name, .arguments = cli_command_line()};
    if (stream_create(&writer, "-", &author, NULL, &err))
        cli_die_err(&err);
    int failed = tile_images(writer, paths, count, &err);
    if (failed == count) {
        stream_abort(writer);
        return cli_finish(err.status);
    }
    if (stream_commit(writer, &err))
        cli_die_err(&err);
    return cli_finish(failed ? STATUS_SOME_FAILED : STATUS_OK);
}
