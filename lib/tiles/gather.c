#include "tiles/gather.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/intmap.h"
#include "core/io.h"
#include "core/limits.h"
#include "core/names.h"
#include "core/rng.h"
#include "stream/walk.h"

#define FREE_PIXELS   ((uint64_t)1 << 26) /* of an image, however few its tiles are */
#define PIXELS_A_TILE 4096                /* that each pixel of a tile may stand for */

struct gather {
    const struct gather_options *options;
    const struct gather_taker *taker;
    uint64_t dropped;
    struct walk_place at;
    struct names finished, stems;
    bool any;  /* there was a sample */
    bool open; /* there is an image */
    struct gather_image image;
    char id[2 * SAMPLE_MAX_NAME + 1200]; /* of its source */
    struct err why;                      /* it is incomplete; status 0 when it is not */
    int64_t count;                       /* tiles that it should have */
    struct intmap keys;                  /* hashes of their keys */
};

/* ---- where a tile is ---- */

static bool is_alone(const struct gather *g, const struct gather_tile *tile, int known)
{
    const struct tile_meta *meta = &tile->meta;
    const char *slash = strchr(tile->sample->key, '/');
    bool in_parts = slash && strchr(slash + 1, '/');
    return g->options->by_tile || known == 1 || meta->source_width < 1 || meta->source_height < 1 ||
           (!meta->source[0] && !in_parts);
}

/* A sample alone is called as its source, or by its key, as that was where it came from. */
static const char *name_of(const struct gather *g, const struct gather_image *image,
                           const struct gather_tile *tile, bool alone)
{
    const struct tile_meta *meta = &tile->meta;
    if (meta->source[0] && !g->options->by_tile)
        return meta->source;
    return alone && meta->key[0] ? meta->key : image->key;
}

static void name_image(const struct gather *g, struct gather_image *image,
                       const struct gather_tile *tile, bool alone)
{
    const char *key = tile->sample->key, *slash = strchr(key, '/');
    if (alone || !slash || !strchr(slash + 1, '/'))
        snprintf(image->key, sizeof image->key, "%s", alone ? key : "");
    else
        sample_image_key(key, image->key, sizeof image->key);
    snprintf(image->name, sizeof image->name, "%s", name_of(g, image, tile, alone));
}

static void place_alone(struct gather_image *image, struct gather_tile *tile, const size_t size[2])
{
    const struct tile_meta *meta = &tile->meta;
    tile->x = tile->y = 0;
    tile->height = image->height = (int64_t)size[0];
    tile->width = image->width = (int64_t)size[1];
    image->pixel_height = meta->scale_y > 0 ? meta->pixel_height / meta->scale_y : 0;
    image->pixel_width = meta->scale_x > 0 ? meta->pixel_width / meta->scale_x : 0;
}

static int64_t scaled(int64_t value, double scale)
{
    return llround((double)value * scale);
}

static int place_as_tiled(struct gather_image *image, struct gather_tile *tile,
                          const size_t size[2], struct err *err)
{
    const struct tile_meta *meta = &tile->meta;
    if (!(meta->scale_x > 0 && meta->scale_x < 1e4 && meta->scale_y > 0 && meta->scale_y < 1e4))
        return err_set(err, STATUS_DATA, "its scale makes no sense");
    place_alone(image, tile, size);
    image->width = scaled(meta->source_width, meta->scale_x);
    image->height = scaled(meta->source_height, meta->scale_y);
    tile->x = scaled(meta->x, meta->scale_x);
    tile->y = scaled(meta->y, meta->scale_y);
    return 0;
}

static void place_in_source(struct gather_image *image, struct gather_tile *tile)
{
    const struct tile_meta *meta = &tile->meta;
    image->width = meta->source_width;
    image->height = meta->source_height;
    image->full_width = meta->full_width;
    image->full_height = meta->full_height;
    image->pixel_width = meta->pixel_width;
    image->pixel_height = meta->pixel_height;
    tile->x = meta->x;
    tile->y = meta->y;
    tile->width = meta->width;
    tile->height = meta->height;
}

static int check_place(const struct gather_image *image, const struct gather_tile *tile,
                       struct err *err)
{
    if (image->width > GATHER_MAX_SIDE || image->height > GATHER_MAX_SIDE || tile->width < 1 ||
        tile->height < 1 || tile->width > INT32_MAX || tile->height > INT32_MAX ||
        llabs(tile->x) > INT32_MAX || llabs(tile->y) > INT32_MAX)
        return err_set(err, STATUS_DATA, "a place that cannot be");
    return limits_check_pixels(image->width, image->height, err);
}

static int place(const struct gather *g, struct gather_image *image, struct gather_tile *tile,
                 bool alone, const size_t size[2], struct err *err)
{
    if (size[0] == 0 || size[1] == 0 || size[0] > INT32_MAX || size[1] > INT32_MAX)
        return err_set(err, STATUS_DATA, "it has no pixels");
    if (alone)
        place_alone(image, tile, size);
    else if (!g->options->as_tiled)
        place_in_source(image, tile);
    else if (place_as_tiled(image, tile, size, err))
        return -1;
    return check_place(image, tile, err);
}

/* ---- one image after the other ---- */

/* The image's size is only said: so far as it is needed now, it must fit the tiles. */
static int check_pixels(const struct gather_image *image, int64_t bottom, struct err *err)
{
    bottom = bottom < image->height ? bottom : image->height;
    if (bottom <= 0 || (uint64_t)image->width * (uint64_t)bottom <= image->allowed)
        return 0;
    return err_set(err, STATUS_DATA,
                   "an image of %" PRId64 " x %" PRId64
                   " pixels with almost no tiles (--max-pixels allows it)",
                   image->width, image->height);
}

static int finish(struct gather *g, struct err *err)
{
    struct gather_image *image = &g->image;
    if (!g->open)
        return 0;
    g->open = false;
    intmap_free(&g->keys);
    image->missing = g->count > image->tiles ? g->count - image->tiles : 0;
    if (!g->why.status)
        return check_pixels(image, image->height, err) || g->taker->end(g->taker->user, image, err)
                   ? -1
                   : 0;
    g->dropped++;
    g->taker->drop(g->taker->user, image, &g->why);
    return 0;
}

static int choose_stem(struct gather *g, struct err *err)
{
    struct gather_image *image = &g->image;
    char stem[sizeof image->name];
    size_t length;
    const char *base = names_stem(image->name, &length);
    snprintf(stem, sizeof stem, "%.*s", (int)length, base);
    return names_number(&g->stems, *stem ? stem : "image", image->stem, sizeof image->stem, err);
}

static int begin(struct gather *g, const struct gather_image *image, const char *id,
                 const struct gather_tile *first, struct err *err)
{
    int is_new = *id ? names_add(&g->finished, id, err) : 1;
    if (is_new < 0)
        return -1;
    if (!is_new)
        return err_set(err, STATUS_DATA, "the tiles of '%.200s' come in several places",
                       image->name);
    g->image = *image;
    g->why.status = STATUS_OK;
    g->count = first->meta.count;
    g->image.allowed = limits.max_pixels > 0 ? UINT64_MAX : FREE_PIXELS;
    snprintf(g->id, sizeof g->id, "%s", id);
    if (choose_stem(g, err))
        return -1;
    g->open = true;
    return g->taker->begin(g->taker->user, &g->image, first, err);
}

/* The current image, or one that begins with this tile. */
static int choose_image(struct gather *g, const struct gather_image *image,
                        const struct gather_tile *tile, bool alone, struct err *err)
{
    char id[sizeof g->id] = "";
    if (!alone)
        snprintf(id, sizeof id, "%s:%s:%s", image->key, tile->meta.id, tile->meta.source);
    bool same = g->open && !alone && strcmp(id, g->id) == 0;
    if (same && image->width == g->image.width && image->height == g->image.height)
        return 0;
    if (same)
        return err_set(err, STATUS_DATA, "'%.200s' has tiles of several sizes or scales",
                       image->name);
    if (g->open && g->options->only_one)
        return err_set(err, STATUS_USAGE, "the stream has several images: use %s DIR/",
                       g->options->only_one);
    return finish(g, err) || begin(g, image, id, tile, err) ? -1 : 0;
}

/* A tile that comes twice is one of another image of that name, or of a stream that was
 * joined with itself. */
static int check_key(struct gather *g, const char *key, struct err *err)
{
    struct rng rng = rng_new(0, key);
    uint64_t hash = rng_u64(&rng);
    uint64_t *seen = intmap_at(&g->keys, hash - (hash == INTMAP_NO_KEY), err);
    if (!seen)
        return -1;
    if ((*seen)++)
        return err_set(err, STATUS_DATA, "it comes twice; two images of one name and size?");
    return 0;
}

static int add(struct gather *g, const struct gather_tile *tile, const size_t size[2],
               struct err *err)
{
    g->image.tiles++;
    if (g->image.allowed < UINT64_MAX / 2)
        g->image.allowed += (uint64_t)size[0] * size[1] * PIXELS_A_TILE;
    if (tile->meta.incomplete[0])
        err_set(&g->why, STATUS_SOME_FAILED, "'%.200s' is incomplete, and left out: %.200s",
                g->image.name, tile->meta.incomplete);
    if (check_key(g, tile->sample->key, err) ||
        check_pixels(&g->image, tile->y + tile->height, err))
        return -1;
    return g->taker->add(g->taker->user, tile, err);
}

static int take_sample(void *user, const struct stream_reader *reader, const struct sample *sample,
                       struct err *err)
{
    struct gather *g = user;
    struct gather_tile tile = {.sample = sample};
    struct gather_image image = {.tiles = 0};
    size_t size[2];
    int known = sample_get_meta(sample, &tile.meta, err);
    if (known < 0 || g->taker->measure(g->taker->user, sample, size, err))
        return -1;
    bool alone = is_alone(g, &tile, known);
    if (alone)
        tile.meta.count = 1;
    name_image(g, &image, &tile, alone);
    if (place(g, &image, &tile, alone, size, err) || choose_image(g, &image, &tile, alone, err) ||
        add(g, &tile, size, err))
        return -1;
    g->any = true;
    if (g->taker->progress)
        walk_progress(&g->at, &tile.meta, stream_images(reader), g->taker->progress);
    return 0;
}

int gather_stream(const char *path, const struct gather_options *options,
                  const struct gather_taker *taker, struct err *err)
{
    struct gather g = {.options = options, .taker = taker};
    int rc = stream_walk(path, take_sample, &g, err);
    if (rc >= 0 && !g.any)
        rc = err_set(err, STATUS_DATA, "read '%s': no samples, so no image", io_input_name(path));
    struct err last;
    if (rc >= 0 && finish(&g, &last)) {
        *err = last;
        if (err->status == STATUS_DATA)
            err_prefix(err, "read '%s'", io_input_name(path));
        rc = -1;
    }
    if (rc == 0 && g.dropped) {
        err_set(err, STATUS_SOME_FAILED, "read '%s': %" PRIu64 " incomplete images are left out",
                io_input_name(path), g.dropped);
        rc = 1;
    }
    intmap_free(&g.keys);
    names_free(&g.finished);
    names_free(&g.stems);
    return rc;
}
