/* tile: images to a tensor stream. */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/num.h"
#include "image/image.h"
#include "ops/band.h"
#include "ops/channels.h"
#include "ops/grid.h"
#include "ops/normalise.h"
#include "ops/resample.h"
#include "stream/stream.h"

#define MAX_SIZE   65535
#define MAX_SIZES  32
#define CHUNK_SIZE (1 << 20) /* bytes of rows that are converted at a time */

enum { OPT_EDGE = CLI_LONG_ONLY, OPT_MASK_SUFFIX, OPT_GRAY, OPT_RGB, OPT_NORMALIZE, OPT_PART };

static const struct cli_option options[] = {
    {'s', "size", "SIZE[,SIZE...]", "side of a tile in pixels, or full (default 224)"},
    {'o', "overlap", "PIXELS|PERCENT%", "what neighbours share (default 56, less for small tiles)"},
    {'r', "resize", "SIZE", "resize every tile to SIZE x SIZE"},
    {OPT_EDGE, "edge", "shift|pad|fit",
     "move windows that cross the border inside (default), pad them, or leave them out"},
    {'m', "masks", "DIR", "add the masks of this folder, matched by stem"},
    {OPT_MASK_SUFFIX, "mask-suffix", "TEXT", "what a mask's stem ends with (default _mask)"},
    {OPT_GRAY, "gray", NULL, "one channel"},
    {OPT_RGB, "rgb", NULL, "three channels"},
    {OPT_NORMALIZE, "normalize", "none|minmax|percentile",
     "let networks see the whole image's range as 0 to 1 (default none)"},
    {OPT_PART, "part", "I/N", "only the I-th of N parts, by whole rows of tiles"},
    {0},
};

static const struct cli_program program = {
    .name = "tile",
    .purpose = "cut images into a tensor stream",
    .synopsis = "[options] [IMAGE...]",
    .options = options,
    .notes = "Without IMAGE, or for -, an image is read from standard input.",
};

enum range { RANGE_NONE, RANGE_EXTREMES, RANGE_PERCENTILES };

static struct {
    int64_t sizes[MAX_SIZES]; /* 0 is the full image */
    int size_count;
    struct grid_overlap overlap;
    bool overlap_given;
    int64_t resize; /* 0: not */
    enum grid_edge edge;
    const char *masks, *mask_suffix;
    enum channels_wish channels;
    enum range range;
    int64_t part, parts;
} settings = {.sizes = {224},
              .size_count = 1,
              .overlap = {.amount = 56},
              .mask_suffix = "_mask",
              .part = 1,
              .parts = 1};

/* ---- options ---- */

static void parse_sizes(const char *text)
{
    char word[32];
    settings.size_count = 0;
    for (const char *p = text;; p++) {
        size_t length = strcspn(p, ",");
        if (length == 0 || length >= sizeof word || settings.size_count == MAX_SIZES)
            cli_die_usage("'%s' is not a list of at most %d sizes", text, MAX_SIZES);
        memcpy(word, p, length);
        word[length] = '\0';
        int64_t size = 0;
        struct err err;
        if (strcmp(word, "full") != 0 && num_int(word, 1, MAX_SIZE, &size, &err))
            cli_die_usage("--size: %s", err.message);
        settings.sizes[settings.size_count++] = size;
        p += length;
        if (!*p)
            return;
    }
}

static void parse_overlap(const char *text)
{
    struct err err;
    if (grid_parse_overlap(text, &settings.overlap, &err))
        cli_die_usage("--overlap: %s", err.message);
    settings.overlap_given = true;
}

static void parse_part(const char *text)
{
    char part[16];
    size_t length = strcspn(text, "/");
    struct err err;
    if (text[length] != '/' || length >= sizeof part)
        cli_die_usage("--part: '%s' is not I/N", text);
    memcpy(part, text, length);
    part[length] = '\0';
    if (num_int(text + length + 1, 1, 1000000, &settings.parts, &err) ||
        num_int(part, 1, settings.parts, &settings.part, &err))
        cli_die_usage("--part: %s", err.message);
}

static void parse_options(void)
{
    for (int c; (c = cli_next_option()) != -1;) {
        switch (c) {
        case 's':
            parse_sizes(cli_argument());
            break;
        case 'o':
            parse_overlap(cli_argument());
            break;
        case 'r':
            settings.resize = cli_int(1, MAX_SIZE);
            break;
        case 'm':
            settings.masks = cli_argument();
            break;
        case OPT_EDGE:
            settings.edge = (enum grid_edge)cli_choice("shift|pad|fit");
            break;
        case OPT_MASK_SUFFIX:
            settings.mask_suffix = cli_argument();
            break;
        case OPT_GRAY:
            settings.channels = CHANNELS_GREY;
            break;
        case OPT_RGB:
            settings.channels = CHANNELS_RGB;
            break;
        case OPT_NORMALIZE:
            settings.range = (enum range)cli_choice("none|minmax|percentile");
            break;
        case OPT_PART:
            parse_part(cli_argument());
            break;
        }
    }
}

/* 56 pixels do for the default tiles; smaller ones share a quarter of their side. */
static int step_of(int64_t size, int64_t *step, struct err *err)
{
    struct grid_overlap overlap = settings.overlap;
    if (!settings.overlap_given && overlap.amount > (double)size / 4)
        overlap = (struct grid_overlap){.amount = 25, .is_percentage = true};
    return grid_step(size, &overlap, step, err);
}

static void check_overlap(void)
{
    struct err err;
    int64_t step;
    for (int i = 0; i < settings.size_count; i++)
        if (settings.sizes[i] && step_of(settings.sizes[i], &step, &err))
            cli_die_usage("%s", err.message);
}

/* ---- a file read from above, as wide a band of its rows as the tiles need ---- */

struct source {
    struct image_reader *reader;
    const struct image_info *info;
    enum dtype dtype;
    int channels; /* after conversion */
    struct band band;
    int64_t next_row;
    unsigned char *chunk; /* rows as they are in the file */
    int64_t chunk_rows;
    bool labels;      /* a mask: its channels must be equal */
    uint32_t maximum; /* a mask whose only values are 0 and this one: kept as 0 and 1 */
};

static void source_close(struct source *source)
{
    image_close(source->reader);
    band_free(&source->band);
    free(source->chunk);
    *source = (struct source){0};
}

static enum dtype dtype_of(const struct image_info *info)
{
    return info->bits == 8    ? DTYPE_U8
           : info->bits == 16 ? DTYPE_U16
           : info->is_label   ? DTYPE_U32
                              : DTYPE_F32;
}

static int source_open(struct source *source, const char *path, bool labels, struct err *err)
{
    *source = (struct source){.labels = labels};
    if ((labels ? image_open_labels : image_open)(&source->reader, path, err))
        return -1;
    source->info = image_info(source->reader);
    source->dtype = dtype_of(source->info);
    source->channels = labels ? 1 : channels_after(source->info->channels, settings.channels);
    size_t row_bytes = image_row_bytes(source->info);
    source->chunk_rows = 1 + (int64_t)(CHUNK_SIZE / (row_bytes + 1));
    source->chunk = malloc((size_t)source->chunk_rows * row_bytes);
    size_t pixel = (size_t)source->channels * dtype_size(source->dtype);
    source->band = band_new((size_t)source->info->width * pixel);
    return source->chunk ? 0 : err_memory(err, path);
}

static int check_image(const struct source *source, const char *path, struct err *err)
{
    if (source->dtype == DTYPE_U32)
        return err_set(err, STATUS_DATA, "read '%s': 32-bit integers are labels, not an image",
                       path);
    if (!source->channels)
        return err_set(err, STATUS_DATA, "read '%s': %d channels cannot be made RGB", path,
                       source->info->channels);
    return 0;
}

static int check_mask(const struct source *mask, const struct source *image, const char *path,
                      struct err *err)
{
    if (mask->dtype == DTYPE_F32)
        return err_set(err, STATUS_DATA, "read '%s': a mask of floating-point numbers", path);
    if (mask->info->width != image->info->width || mask->info->height != image->info->height)
        return err_set(err, STATUS_DATA,
                       "read '%s': the mask has %lld x %lld pixels, the image %lld x %lld", path,
                       (long long)mask->info->width, (long long)mask->info->height,
                       (long long)image->info->width, (long long)image->info->height);
    return 0;
}

/* Reads at most chunk_rows rows and converts their channels into `to`; the rows
 * of a file that needs no conversion go there directly. */
static int read_rows(struct source *source, int64_t rows, void *to, struct err *err)
{
    int channels = source->info->channels;
    size_t pixels = (size_t)(rows * source->info->width);
    void *raw = channels == source->channels ? to : source->chunk;
    if (image_read_rows(source->reader, rows, raw, err))
        return -1;
    source->next_row += rows;
    if (raw == to)
        return 0;
    if (source->labels && !channels_are_grey(raw, channels, source->dtype, pixels))
        return err_set(err, STATUS_DATA, "a mask in colours; labels are one number a pixel");
    channels_convert(raw, channels, to, source->channels, source->dtype, pixels);
    return 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void make_binary(void *values, enum dtype dtype, uint32_t maximum, size_t n)
{
    if (dtype == DTYPE_U8)
        for (size_t i = 0; i < n; i++)
            ((uint8_t *)values)[i] = ((uint8_t *)values)[i] == maximum;
    else
        for (size_t i = 0; i < n; i++)
            ((uint16_t *)values)[i] = ((uint16_t *)values)[i] == maximum;
}

static int skip_rows(struct source *source, int64_t until, struct err *err)
{
    while (source->next_row < until) {
        int64_t rows = smaller(until - source->next_row, source->chunk_rows);
        if (image_read_rows(source->reader, rows, source->chunk, err))
            return -1;
        source->next_row += rows;
    }
    return 0;
}

/* Makes rows [top, bottom) of the image resident; `top` never goes back. */
static int source_need(struct source *source, int64_t top, int64_t bottom, struct err *err)
{
    bottom = smaller(bottom, source->info->height);
    band_drop(&source->band, top);
    if (band_extend(&source->band, bottom, err) || skip_rows(source, source->band.top, err))
        return -1;
    while (source->next_row < bottom) {
        int64_t y = source->next_row, most = smaller(bottom - y, source->chunk_rows);
        int64_t rows = band_contiguous(&source->band, y, most);
        void *to = band_row(&source->band, y);
        if (read_rows(source, rows, to, err))
            return -1;
        if (source->maximum)
            make_binary(to, source->dtype, source->maximum, (size_t)(rows * source->info->width));
    }
    return 0;
}

/* Reads a file from end to end, its rows converted, and shows them to `look`
 * until that returns false. */
static int scan(const char *path, bool labels, bool (*look)(void *, const void *, size_t),
                void *data, struct err *err)
{
    struct source source;
    bool more = true;
    int result = source_open(&source, path, labels, err);
    if (result == 0)
        result = band_extend(&source.band, source.chunk_rows, err);
    while (result == 0 && more && source.next_row < source.info->height) {
        int64_t rows = smaller(source.info->height - source.next_row, source.chunk_rows);
        result = read_rows(&source, rows, source.band.rows, err);
        if (result == 0)
            more =
                look(data, source.band.rows, (size_t)(rows * source.info->width * source.channels));
    }
    source_close(&source);
    return result;
}

/* ---- the range of a whole image ---- */

static bool count_values(void *normalise, const void *values, size_t n)
{
    normalise_count(normalise, values, n);
    return true;
}

static bool refine_values(void *normalise, const void *values, size_t n)
{
    normalise_refine(normalise, values, n);
    return true;
}

static int find_range(const char *path, enum dtype dtype, double *low, double *high,
                      struct err *err)
{
    struct normalise normalise;
    double percentile = settings.range == RANGE_PERCENTILES ? 1 : 0;
    int result = normalise_new(&normalise, dtype, err);
    if (result == 0)
        result = scan(path, false, count_values, &normalise, err);
    if (result == 0)
        result = normalise_choose(&normalise, percentile, 100 - percentile, err);
    if (result == 1)
        result = scan(path, false, refine_values, &normalise, err);
    if (result == 0)
        normalise_range(&normalise, low, high);
    normalise_free(&normalise);
    return result;
}

static int normalise(const char *path, const struct source *image, struct tile_meta *meta,
                     struct err *err)
{
    double low, high;
    if (settings.range == RANGE_NONE)
        return 0;
    if (find_range(path, image->dtype, &low, &high, err))
        return -1;
    meta->normalise_offset = low;
    meta->normalise_gain = high > low ? 1 / (high - low) : 1;
    return 0;
}

/* ---- masks ---- */

static const char *const mask_extensions[] = {"png", "tif", "tiff", "PNG", "TIF", "TIFF"};

/* The folder's file of this stem, in `path`; false when there is none. */
static bool find_mask(const char *stem, size_t stem_length, const char *suffix, char *path,
                      size_t size)
{
    for (size_t i = 0; i < sizeof mask_extensions / sizeof *mask_extensions; i++) {
        int length = snprintf(path, size, "%s/%.*s%s.%s", settings.masks, (int)stem_length, stem,
                              suffix, mask_extensions[i]);
        if (length > 0 && (size_t)length < size && access(path, F_OK) == 0)
            return true;
    }
    return false;
}

static int mask_path(const char *image, char *path, size_t size, struct err *err)
{
    const char *slash = strrchr(image, '/');
    const char *stem = slash ? slash + 1 : image;
    const char *dot = strrchr(stem, '.');
    size_t length = dot && dot > stem ? (size_t)(dot - stem) : strlen(stem);
    if (find_mask(stem, length, settings.mask_suffix, path, size) ||
        find_mask(stem, length, "", path, size))
        return 0;
    return err_set(err, STATUS_NO_INPUT,
                   "find the mask of '%s': neither %.*s%s.* nor %.*s.* in '%s'", image, (int)length,
                   stem, settings.mask_suffix, (int)length, stem, settings.masks);
}

struct values {
    uint32_t maximum; /* of the type */
    enum dtype dtype;
    bool has_maximum, has_others;
};

static bool look_for_others(void *data, const void *values, size_t n)
{
    struct values *seen = data;
    for (size_t i = 0; i < n && !seen->has_others; i++) {
        uint32_t value =
            seen->dtype == DTYPE_U8 ? ((const uint8_t *)values)[i] : ((const uint16_t *)values)[i];
        seen->has_maximum |= value == seen->maximum;
        seen->has_others = value != 0 && value != seen->maximum;
    }
    return !seen->has_others;
}

/* Masks drawn as black and white (0 and 255, or 65535) have the labels 0 and 1. */
static int find_binary(const char *path, struct source *mask, struct err *err)
{
    struct values seen = {.dtype = mask->dtype, .maximum = mask->dtype == DTYPE_U8 ? 255 : 65535};
    if (mask->dtype == DTYPE_U32)
        return 0;
    if (scan(path, true, look_for_others, &seen, err))
        return -1;
    mask->maximum = seen.has_maximum && !seen.has_others ? seen.maximum : 0;
    return 0;
}

static int open_mask(struct source *mask, const struct source *image, const char *image_path,
                     struct err *err)
{
    char path[4096];
    if (mask_path(image_path, path, sizeof path, err) || source_open(mask, path, true, err) ||
        check_mask(mask, image, path, err))
        return -1;
    return find_binary(path, mask, err) ? err_prefix(err, "mask '%s'", path) : 0;
}

/* ---- tiles ---- */

/* One size of tiles over the image that is being cut. */
struct level {
    int64_t size; /* 0 is the full image */
    struct grid grid;
    int64_t row, end;    /* rows of tiles still to be cut */
    int64_t first_index; /* of its tiles among all of the image */
};

struct job {
    const char *path;
    char key[SAMPLE_MAX_NAME / 2]; /* before the tile's own part */
    struct source image, mask;     /* mask: only with settings.masks */
    struct level levels[MAX_SIZES];
    struct tile_meta meta; /* what all tiles share */
    uint64_t tiles;        /* written */
};

static int plan_levels(struct job *job, struct err *err)
{
    int64_t width = job->image.info->width, height = job->image.info->height, step;
    for (int i = 0; i < settings.size_count; i++) {
        struct level *level = &job->levels[i];
        *level = (struct level){.size = settings.sizes[i], .first_index = job->meta.count};
        if (level->size && step_of(level->size, &step, err))
            return -1;
        level->grid = level->size ? grid_new(width, height, level->size, step, settings.edge)
                                  : grid_whole(width, height);
        grid_part(&level->grid, settings.part, settings.parts, &level->row, &level->end);
        job->meta.count += grid_count(&level->grid);
    }
    return 0;
}

/* The level whose next row of tiles begins highest in the image, so that tiles of
 * all sizes come in the order of their first rows; NULL when all is cut. */
static struct level *next_level(struct job *job)
{
    struct level *best = NULL;
    int64_t best_start = 0;
    for (int i = 0; i < settings.size_count; i++) {
        struct level *level = &job->levels[i];
        int64_t start = grid_start(&level->grid.y, level->row);
        if (level->row < level->end && (!best || start < best_start)) {
            best = level;
            best_start = start;
        }
    }
    return best;
}

static struct tile_meta tile_place(const struct job *job, const struct level *level, int64_t column)
{
    struct tile_meta meta = job->meta;
    const struct grid *grid = &level->grid;
    meta.x = grid_start(&grid->x, column);
    meta.y = grid_start(&grid->y, level->row);
    meta.width = grid->x.size;
    meta.height = grid->y.size;
    meta.pad_right = larger(0, meta.x + meta.width - meta.source_width);
    meta.pad_bottom = larger(0, meta.y + meta.height - meta.source_height);
    meta.scale_x = settings.resize ? (double)settings.resize / (double)meta.width : 1;
    meta.scale_y = settings.resize ? (double)settings.resize / (double)meta.height : 1;
    meta.index = level->first_index + level->row * grid->x.count + column;
    return meta;
}

/* The window of a source as a new array, H x W for masks, else H x W x C. */
static int cut(const struct source *source, const struct tile_meta *meta, struct array *tile,
               struct err *err)
{
    size_t shape[3] = {(size_t)meta->height, (size_t)meta->width, (size_t)source->channels};
    size_t pixel = (size_t)source->channels * dtype_size(source->dtype);
    size_t inside = (size_t)(meta->width - meta->pad_right) * pixel;
    if (array_new(tile, source->dtype, source->labels ? 2 : 3, shape, err))
        return -1;
    unsigned char *to = tile->data;
    for (int64_t y = meta->y; y < meta->y + meta->height - meta->pad_bottom; y++) {
        const unsigned char *row = band_row(&source->band, y);
        memcpy(to, row + (size_t)meta->x * pixel, inside);
        to += (size_t)meta->width * pixel;
    }
    return 0;
}

static int resize(struct array *tile, bool labels, struct err *err)
{
    struct array resized;
    size_t side = (size_t)settings.resize, shape[3] = {side, side, tile->shape[2]};
    if (array_new(&resized, tile->dtype, tile->ndim, shape, err))
        return -1;
    int result =
        labels ? resample_labels(tile, &resized, err) : resample_smooth(tile, &resized, err);
    array_free(tile);
    *tile = resized;
    return result;
}

static int add_window(struct sample *sample, const char *name, const struct source *source,
                      const struct tile_meta *meta, struct err *err)
{
    struct array tile;
    if (cut(source, meta, &tile, err))
        return -1;
    if (settings.resize && resize(&tile, source->labels, err)) {
        array_free(&tile);
        return -1;
    }
    return sample_put_array(sample, name, &tile, err);
}

static int fill_sample(struct sample *sample, const struct job *job, const struct tile_meta *meta,
                       struct err *err)
{
    if (add_window(sample, "image", &job->image, meta, err))
        return -1;
    if (settings.masks && add_window(sample, "mask", &job->mask, meta, err))
        return -1;
    return sample_put_meta(sample, meta, err);
}

static int put_tile(struct stream_writer *writer, struct job *job, const struct level *level,
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
    int result = fill_sample(&sample, job, &meta, err);
    if (result == 0 && stream_put(writer, &sample, err))
        cli_die_err(err); /* nobody reads on, or the disk is full: no use to go on */
    job->tiles += result == 0;
    sample_free(&sample);
    return result;
}

static int cut_rows(struct stream_writer *writer, struct job *job, struct err *err)
{
    struct level *level;
    while ((level = next_level(job))) {
        int64_t top = grid_start(&level->grid.y, level->row);
        int64_t bottom = top + level->grid.y.size;
        if (source_need(&job->image, top, bottom, err) ||
            (settings.masks && source_need(&job->mask, top, bottom, err)))
            return err_prefix(err, "tile '%s'", job->path);
        for (int64_t column = 0; column < level->grid.x.count; column++)
            if (put_tile(writer, job, level, column, err))
                return -1;
        level->row++;
    }
    return 0;
}

/* ---- keys: one for each image, whatever their names ---- */

static int compare_keys(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Notes the key down; false when it was there. */
static bool claim_key(const char *key)
{
    static void *used;
    char *copy = strdup(key);
    char **node = copy ? tsearch(copy, &used, compare_keys) : NULL;
    if (!node)
        cli_die(STATUS_MEMORY, "out of memory for keys");
    if (*node == copy)
        return true;
    free(copy);
    return false;
}

static int choose_key(struct job *job, struct err *err)
{
    char *stem = sample_key_from_path(strcmp(job->path, "-") == 0 ? "stdin" : job->path);
    if (!stem)
        return err_memory(err, "a key");
    snprintf(job->key, sizeof job->key, "%.*s", (int)sizeof job->key - 24, stem);
    free(stem);
    size_t length = strlen(job->key);
    for (int n = 2; !claim_key(job->key); n++)
        snprintf(job->key + length, sizeof job->key - length, "-%d", n);
    return 0;
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
    return normalise(readable, &job->image, meta, err);
}

static int run_job(struct stream_writer *writer, struct job *job, const char *readable,
                   struct err *err)
{
    if (source_open(&job->image, readable, false, err) ||
        check_image(&job->image, job->path, err) ||
        (settings.masks && open_mask(&job->mask, &job->image, job->path, err)) ||
        describe(job, readable, err) || choose_key(job, err) || plan_levels(job, err))
        return -1;
    if (job->meta.count == 0)
        cli_warn("'%s' is smaller than a tile and gives none", job->path);
    return cut_rows(writer, job, err);
}

/* Standard input is read twice for --normalize: through a copy in an unlinked
 * file.  Returns a path that opens anew each time. */
static const char *spool_stdin(void)
{
    static char path[32];
    static char buffer[1 << 16];
    FILE *file = tmpfile();
    if (!file)
        cli_die(STATUS_CREATE, "create a temporary file: %s", strerror(errno));
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, stdin)) > 0;)
        if (fwrite(buffer, 1, n, file) != n)
            cli_die(STATUS_IO, "write a temporary file: %s", strerror(errno));
    if (ferror(stdin) || fflush(file))
        cli_die(STATUS_IO, "copy standard input: %s", strerror(errno));
    snprintf(path, sizeof path, "/dev/fd/%d", fileno(file));
    return path;
}

static int tile_image(struct stream_writer *writer, const char *path, struct err *err)
{
    static struct job job;
    bool twice = strcmp(path, "-") == 0 && settings.range != RANGE_NONE;
    job = (struct job){.path = path};
    int result = run_job(writer, &job, twice ? spool_stdin() : path, err);
    source_close(&job.image);
    source_close(&job.mask);
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
    static char dash[] = "-";
    static char *standard_input[] = {dash, NULL};
    struct stream_writer *writer;
    struct err err;
    cli_start(&program, argc, argv);
    parse_options();
    check_overlap();
    char **paths = cli_operand_count() ? cli_operands() : standard_input;
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
