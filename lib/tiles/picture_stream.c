#include "tiles/picture_stream.h"

#include <math.h>
#include <stdlib.h>

#include "stream/walk.h"

struct walk {
    const struct picture_stream_rules *rules;
    struct assembly assembly;
    uint64_t samples;
};

static bool wants(const struct picture_stream_rules *rules, enum picture_part part)
{
    return rules->wanted >> part & 1;
}

/* ---- where a tile is ---- */

static int64_t scaled(int64_t value, double scale)
{
    return llround((double)value * scale);
}

static bool makes_sense(const struct tile_meta *meta)
{
    return meta->scale_x > 0 && meta->scale_x < 1e4 && meta->scale_y > 0 && meta->scale_y < 1e4 &&
           meta->source_width <= INT32_MAX && meta->source_height > 0 &&
           meta->source_height <= INT32_MAX && llabs(meta->x) <= INT32_MAX &&
           llabs(meta->y) <= INT32_MAX;
}

static void place_in_source(struct assembly_tile *tile, const struct tile_meta *meta)
{
    tile->image_width = (size_t)meta->source_width;
    tile->image_height = (size_t)meta->source_height;
    tile->pixel_width = meta->pixel_width;
    tile->pixel_height = meta->pixel_height;
    tile->tile.width = (size_t)meta->width;
    tile->tile.height = (size_t)meta->height;
    tile->tile.x = meta->x;
    tile->tile.y = meta->y;
}

static int place_as_tiled(struct assembly_tile *tile, const struct tile_meta *meta, struct err *err)
{
    if (!makes_sense(meta))
        return err_set(err, STATUS_DATA, "'%s' has a size that makes no sense", tile->name);
    tile->image_width = (size_t)scaled(meta->source_width, meta->scale_x);
    tile->image_height = (size_t)scaled(meta->source_height, meta->scale_y);
    tile->tile.x = scaled(meta->x, meta->scale_x);
    tile->tile.y = scaled(meta->y, meta->scale_y);
    return 0;
}

static int place_tile(struct assembly_tile *tile, const struct sample *sample,
                      const struct tile_meta *meta, const struct picture_stream_rules *rules,
                      struct err *err)
{
    tile->name = tile->alone ? sample->key : meta->source;
    tile->tile.height = tile->tile.values->shape[1];
    tile->tile.width = tile->tile.values->shape[2];
    tile->pixel_height = meta->scale_y > 0 ? meta->pixel_height / meta->scale_y : 0;
    tile->pixel_width = meta->scale_x > 0 ? meta->pixel_width / meta->scale_x : 0;
    if (tile->alone)
        return 0;
    if (rules->as_tiled)
        return place_as_tiled(tile, meta, err);
    place_in_source(tile, meta);
    return 0;
}

/* ---- what a tile has ---- */

static int take_arrays(struct canvas_tile *tile, const struct sample *sample,
                       const struct picture_stream_rules *rules, struct err *err)
{
    bool has_flows = wants(rules, PICTURE_FLOWS) && sample_array(sample, "flows");
    tile->flows = has_flows ? sample_require(sample, "flows", err) : NULL;
    if (has_flows && !tile->flows)
        return -1;
    tile->values = sample_require(sample, has_flows ? "prob" : rules->values, err);
    if (!tile->values)
        return -1;
    if (rules->planes && !has_flows && tile->values->shape[0] != rules->planes)
        return err_set(err, STATUS_DATA, "%s of %zu planes are needed, not of %zu", rules->values,
                       rules->planes, tile->values->shape[0]);
    if (wants(rules, PICTURE_TRUTH) && !(tile->truth = sample_require(sample, "mask", err)))
        return -1;
    tile->uncertainty = wants(rules, PICTURE_DOUBT) ? sample_array(sample, "uncertainty") : NULL;
    tile->image = wants(rules, PICTURE_IMAGE) ? sample_array(sample, "image") : NULL;
    return 0;
}

static int take_sample(void *user, const struct sample *sample, struct err *err)
{
    struct walk *walk = user;
    struct tile_meta meta;
    struct assembly_tile tile = {0};
    if (take_arrays(&tile.tile, sample, walk->rules, err))
        return -1;
    int known = sample_get_meta(sample, &meta, err);
    if (known < 0)
        return -1;
    tile.alone = walk->rules->by_tile || known == 1 || !meta.source[0] || meta.source_width <= 0;
    if (place_tile(&tile, sample, &meta, walk->rules, err) ||
        assembly_add(&walk->assembly, &tile, err))
        return -1;
    walk->rules->progress("samples", ++walk->samples, 0);
    return 0;
}

int picture_stream_walk(const char *path, const struct picture_stream_rules *rules,
                        assembly_take *take, void *user, struct err *err)
{
    struct walk walk = {.rules = rules,
                        .assembly = {.wanted = rules->wanted,
                                     .threshold = rules->threshold,
                                     .only_one = rules->only_one,
                                     .take = take,
                                     .user = user}};
    int rc = stream_walk(path, take_sample, &walk, err);
    if (rc == 0)
        rc = assembly_finish(&walk.assembly, err);
    assembly_free(&walk.assembly);
    return rc;
}
