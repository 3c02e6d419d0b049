#include "predict/tiles.h"

#include <string.h>

#include "pixels/planes.h"
#include "stream/walk.h"

struct batch {
    struct model *model;
    const struct tiles_options *options;
    struct relay *relay;
    struct sample *samples[TILES_MAX_BATCH];
    struct inference_input inputs[TILES_MAX_BATCH];
    struct inference_result results[TILES_MAX_BATCH];
    size_t count;
    struct tile_meta meta; /* of the last sample */
};

static bool fits(const struct batch *batch, const struct array *image)
{
    if (!batch->count)
        return true;
    const struct array *first = batch->inputs[0].image;
    return first->shape[0] == image->shape[0] && first->shape[1] == image->shape[1] &&
           first->shape[2] == image->shape[2];
}

static int put_diameter(struct sample *sample, double diameter, struct err *err)
{
    struct tile_meta meta;
    int found = diameter > 0 ? sample_get_meta(sample, &meta, err) : 1;
    if (found != 0)
        return found < 0 ? -1 : 0;
    meta.cell_diameter = diameter;
    return sample_put_meta(sample, &meta, err);
}

/* Where flows lead, also where there was no KEY.json. */
static int put_target(struct sample *sample, bool ridges, struct err *err)
{
    struct tile_meta meta;
    int found = sample_get_meta(sample, &meta, err);
    if (found < 0 || (!ridges && !meta.flows[0]))
        return found < 0 ? -1 : 0;
    if (found > 0)
        meta.scale_x = meta.scale_y = 1;
    strcpy(meta.flows, ridges ? "distance" : "");
    return sample_put_meta(sample, &meta, err);
}

static int put_results(struct sample *sample, struct inference_result *result,
                       const struct tiles_options *options, struct err *err)
{
    const struct inference_options *what = &options->what;
    if (!options->keep_image)
        sample_drop_array(sample, "image");
    if (what->prob && sample_put_array(sample, "prob", &result->prob, err))
        return -1;
    if (what->logits && sample_put_array(sample, "logits", &result->logits, err))
        return -1;
    if (what->flows && (sample_put_array(sample, "flows", &result->flows, err) ||
                        put_target(sample, what->ridges, err)))
        return -1;
    if (what->uncertainty != UNCERTAINTY_NONE &&
        sample_put_array(sample, "uncertainty", &result->uncertainty, err))
        return -1;
    return put_diameter(sample, result->diameter, err);
}

/* 1 when nothing more can be written. */
static int run_batch(struct batch *batch, struct err *err)
{
    const struct tiles_options *options = batch->options;
    size_t count = batch->count;
    batch->count = 0;
    if (!count)
        return 0;
    nn_mind_others();
    if (inference_run(batch->model, options->device, &options->what, batch->inputs, count,
                      batch->results, err))
        return err_prefix(err, "sample '%s'", batch->samples[0]->key);
    for (size_t i = 0; i < count; i++) {
        if (put_results(batch->samples[i], &batch->results[i], options, err))
            return -1;
        if (!relay_put(batch->relay, batch->samples[i]))
            return 1;
    }
    return 0;
}

/* tile(1) leaves alpha out, so that what it gives of two channels, or of four, is none. */
static int check_channels(const struct batch *batch, const struct tile_meta *meta,
                          const struct array *image, struct err *err)
{
    int64_t wanted = model_channels(batch->model);
    size_t channels = image->ndim == 3 ? image->shape[2] : 1;
    if (meta->source_channels == 0 || channels == 1 || channels == 3 || (int64_t)channels == wanted)
        return 0;
    return err_set(err, STATUS_DATA,
                   "%zu channels, but the network takes %lld: choose by tile --channel", channels,
                   (long long)wanted);
}

static int add_sample(struct batch *batch, struct sample *sample, const struct array *image,
                      struct err *err)
{
    struct inference_input input = {.image = image};
    if (sample_get_meta(sample, &batch->meta, err) < 0)
        return -1;
    sample_scale(&batch->meta, image->dtype, batch->options->ranges, &input.offset, &input.gain);
    if (check_channels(batch, &batch->meta, image, err) ||
        planes_check(image, model_channels(batch->model), err))
        return err_prefix(err, "sample '%s'", sample->key);
    batch->inputs[batch->count] = input;
    batch->samples[batch->count++] = sample;
    return 0;
}

static int take_sample(struct batch *batch, struct sample *sample, struct err *err)
{
    const struct array *image = sample_require(sample, "image", err);
    int result = image ? 0 : -1;
    if (!result && !fits(batch, image))
        result = run_batch(batch, err);
    if (!result)
        result = add_sample(batch, sample, image, err);
    if (!result && batch->count == batch->options->batch)
        result = run_batch(batch, err);
    return result;
}

int tiles_predict(struct model *model, const struct tiles_options *options, struct relay *relay,
                  struct err *err)
{
    static struct batch batch;
    int result = 0;
    struct walk_place at = {0};
    batch = (struct batch){.model = model, .options = options, .relay = relay};
    for (struct sample *sample; !result && (sample = relay_take(relay));) {
        result = take_sample(&batch, sample, err);
        if (!result)
            walk_progress(&at, &batch.meta, relay_images(relay), options->progress);
    }
    if (!result && !relay_cut(relay))
        result = run_batch(&batch, err);
    return result < 0 ? -1 : 0;
}
