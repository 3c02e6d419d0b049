#include "tiles/picture_stream.h"

#include <string.h>

#include "tiles/assembly.h"

struct walk {
    const struct picture_stream_options *options;
    picture_take *take;
    void *user;
    const struct gather_image *image;
    double shown; /* pixels of its first tile for one of it */
    bool judged;  /* the network chose at what size to see it */
    enum flow_target flow_target;
    struct assembly assembly;
};

static bool wants(const struct picture_stream_options *options, enum picture_part part)
{
    return options->wanted >> part & 1;
}

/* ---- what a tile has ---- */

/* Flows beside probabilities, where they are there and wanted. */
static bool has_flows(const struct picture_stream_options *options, const struct sample *sample)
{
    return wants(options, PICTURE_FLOWS) && sample_array(sample, "flows");
}

static const struct array *values_of(const struct picture_stream_options *options,
                                     const struct sample *sample, struct err *err)
{
    bool flows = has_flows(options, sample);
    const struct array *values = sample_require(sample, flows ? "prob" : options->values, err);
    if (values && options->planes && !flows && values->shape[0] != options->planes) {
        err_set(err, STATUS_DATA, "%s of %zu planes are needed, not of %zu", options->values,
                options->planes, values->shape[0]);
        return NULL;
    }
    return values;
}

static int take_arrays(struct assembly_tile *tile, const struct picture_stream_options *options,
                       const struct sample *sample, struct err *err)
{
    tile->values = values_of(options, sample, err);
    if (!tile->values)
        return -1;
    if (has_flows(options, sample) && !(tile->flows = sample_require(sample, "flows", err)))
        return -1;
    if (wants(options, PICTURE_TRUTH) && !(tile->truth = sample_require(sample, "mask", err)))
        return -1;
    struct array *uncertainty = NULL, *image = NULL;
    if ((wants(options, PICTURE_UNCERTAINTY) &&
         sample_seek(sample, "uncertainty", &uncertainty, err)) ||
        (wants(options, PICTURE_IMAGE) && sample_seek(sample, "image", &image, err)))
        return -1;
    tile->uncertainty = uncertainty;
    tile->image = image;
    return 0;
}

/* ---- images ---- */

static int measure(void *user, const struct sample *sample, size_t size[2], struct err *err)
{
    const struct walk *walk = user;
    const struct array *values = values_of(walk->options, sample, err);
    if (!values)
        return -1;
    memcpy(size, values->shape + 1, 2 * sizeof *size);
    return 0;
}

static int begin(void *user, const struct gather_image *image, const struct gather_tile *first,
                 struct err *err)
{
    struct walk *walk = user;
    struct assembly_tile tile = {.values = NULL};
    if (take_arrays(&tile, walk->options, first->sample, err))
        return -1;
    struct assembly_options options = {.width = (size_t)image->width,
                                       .height = (size_t)image->height,
                                       .planes = tile.values->shape[0],
                                       .has_uncertainty = tile.uncertainty != NULL,
                                       .has_flows = tile.flows != NULL,
                                       .threshold = walk->options->threshold,
                                       .wanted = walk->options->wanted,
                                       .blend = blend_of(first->sample)};
    walk->image = image;
    walk->shown = first->meta.scale_x > 0 ? first->meta.scale_x : 1;
    walk->judged = first->meta.network_scale > 0;
    if (tile.flows && flow_target_named(first->meta.flows, &walk->flow_target, err))
        return -1;
    return assembly_new(&walk->assembly, &options, err);
}

static int add(void *user, const struct gather_tile *given, struct err *err)
{
    struct walk *walk = user;
    struct assembly_tile tile = {
        .x = given->x, .y = given->y, .width = given->width, .height = given->height};
    if (take_arrays(&tile, walk->options, given->sample, err))
        return -1;
    walk->assembly.allowed = walk->image->allowed;
    return assembly_add(&walk->assembly, &tile, err);
}

static int end(void *user, const struct gather_image *image, struct err *err)
{
    struct walk *walk = user;
    struct picture picture = {.name = NULL};
    int rc = assembly_finish(&walk->assembly, &picture, err);
    assembly_free(&walk->assembly);
    picture.name = image->name;
    picture.full_width = image->full_width;
    picture.full_height = image->full_height;
    picture.pixel_width = image->pixel_width;
    picture.shown = walk->shown;
    picture.judged = walk->judged;
    picture.flow_target = walk->flow_target;
    picture.pixel_height = image->pixel_height;
    if (rc == 0)
        rc = walk->take(walk->user, &picture, err);
    picture_free(&picture);
    return rc;
}

static void drop(void *user, const struct gather_image *image, const struct err *why)
{
    struct walk *walk = user;
    (void)image;
    assembly_free(&walk->assembly);
    walk->options->warn(why);
}

int picture_stream_walk(const char *path, const struct picture_stream_options *options,
                        picture_take *take, void *user, struct err *err)
{
    struct walk walk = {.options = options, .take = take, .user = user};
    struct gather_taker taker = {.user = &walk,
                                 .measure = measure,
                                 .begin = begin,
                                 .add = add,
                                 .end = end,
                                 .drop = drop,
                                 .progress = options->progress};
    int rc = gather_stream(path, &options->gather, &taker, err);
    assembly_free(&walk.assembly);
    return rc;
}
