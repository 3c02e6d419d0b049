#include "predict/tiles.h"

#include <string.h>

#include "pixels/planes.h"
#include "predict/held.h"
#include "stream/walk.h"

struct batch {
    struct model *model;
    const struct tiles_options *options;
    struct relay *relay;
    struct sample *samples[TILES_MAX_BATCH];
    struct inference_input inputs[TILES_MAX_BATCH];
    struct inference_result results[TILES_MAX_BATCH];
    struct rescale_window windows[TILES_MAX_BATCH]; /* of a sample at another size; else no image,
                                                       and scale 1, or 0 where none was chosen */
    size_t count;
    struct tile_meta meta; /* of the last sample */
    struct walk_place at;  /* how far it is */
};

static bool fits(const struct batch *batch, const struct array *image)
{
    if (!batch->count)
        return true;
    const struct array *first = batch->inputs[0].image;
    return first->shape[0] == image->shape[0] && first->shape[1] == image->shape[1] &&
           first->shape[2] == image->shape[2];
}

/* What KEY.json is to say beyond what it said. */
struct told {
    double diameter;        /* of the cells; 0: nothing */
    double scale;           /* that the network chose; 0: it was not asked */
    bool has_flows, ridges; /* where flows lead, also where there was no KEY.json */
};

/* *meta: what it says then. */
static int put_told(struct sample *sample, const struct told *told, struct tile_meta *meta,
                    struct err *err)
{
    int found = sample_get_meta(sample, meta, err);
    bool has_new_target = told->has_flows && (told->ridges || meta->flows[0]);
    bool has_new_numbers = found == 0 && (told->diameter > 0 || told->scale > 0);
    if (found < 0 || !(has_new_target || has_new_numbers))
        return found < 0 ? -1 : 0;
    if (found > 0)
        meta->scale_x = meta->scale_y = 1;
    if (has_new_target)
        strcpy(meta->flows, told->ridges ? "distance" : "");
    if (found == 0 && told->diameter > 0)
        meta->cell_diameter = told->diameter;
    if (found == 0 && told->scale > 0)
        meta->network_scale = told->scale;
    return sample_put_meta(sample, meta, err);
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
    if (what->flows && sample_put_array(sample, "flows", &result->flows, err))
        return -1;
    if (what->uncertainty != UNCERTAINTY_NONE &&
        sample_put_array(sample, "uncertainty", &result->uncertainty, err))
        return -1;
    return 0;
}

/* `scale`: that the network chose, or 0.  1 when nothing more can be written. */
static int put_sample(struct batch *batch, struct sample *sample, struct inference_result *result,
                      double scale, struct err *err)
{
    const struct inference_options *what = &batch->options->what;
    const struct told told = {.diameter = result->diameter,
                              .scale = scale,
                              .has_flows = what->flows,
                              .ridges = what->ridges};
    struct tile_meta meta;
    if (put_results(sample, result, batch->options, err) || put_told(sample, &told, &meta, err))
        return -1;
    walk_progress(&batch->at, &meta, relay_images(batch->relay), batch->options->progress);
    return relay_put(batch->relay, sample) ? 0 : 1;
}

/* Of a window: its result becomes that of the sample's tile. */
static int settle_window(struct batch *batch, size_t i, struct err *err)
{
    struct rescale_window *window = &batch->windows[i];
    if (!window->image.data)
        return 0;
    array_free(&window->image);
    return rescale_back(&batch->results[i], window, err);
}

/* 1 when nothing more can be written. */
static int run_batch(struct batch *batch, struct err *err)
{
    const struct tiles_options *options = batch->options;
    size_t count = batch->count;
    int result = 0;
    batch->count = 0;
    if (!count)
        return 0;
    nn_mind_others();
    if (inference_run(batch->model, options->device, &options->what, batch->inputs, count,
                      batch->results, err))
        return err_prefix(err, "sample '%s'", batch->samples[0]->key);
    for (size_t i = 0; i < count && !result; i++) {
        result = settle_window(batch, i, err);
        if (!result)
            result = put_sample(batch, batch->samples[i], &batch->results[i],
                                batch->windows[i].scale, err);
    }
    return result;
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

/* What the network sees of the sample; its meta becomes the batch's. */
static int see_sample(struct batch *batch, struct sample *sample, struct inference_input *input,
                      struct err *err)
{
    const struct array *image = sample_require(sample, "image", err);
    *input = (struct inference_input){.image = image};
    if (!image || sample_get_meta(sample, &batch->meta, err) < 0)
        return -1;
    sample_scale(&batch->meta, image->dtype, batch->options->ranges, &input->offset, &input->gain);
    if (check_channels(batch, &batch->meta, image, err) ||
        planes_check(image, model_channels(batch->model), err))
        return err_prefix(err, "sample '%s'", sample->key);
    return 0;
}

static const struct rescale_window as_it_is;

/* Windows that are larger than their tiles need as much memory as several. */
static size_t most_at_once(const struct batch *batch, const struct rescale_window *window)
{
    size_t most = batch->options->batch;
    return window->scale > 1 ? (most + 3) / 4 : most;
}

/* The window is taken over; one without an image is of a sample as it is. */
static int take_sample(struct batch *batch, struct sample *sample,
                       const struct inference_input *input, const struct rescale_window *window,
                       struct err *err)
{
    bool is_shown = window->image.data != NULL;
    if (!fits(batch, is_shown ? &window->image : input->image)) {
        int result = run_batch(batch, err);
        if (result)
            return result;
    }
    size_t i = batch->count++;
    batch->samples[i] = sample;
    batch->inputs[i] = *input;
    batch->windows[i] = *window;
    if (is_shown)
        batch->inputs[i].image = &batch->windows[i].image;
    return batch->count >= most_at_once(batch, window) ? run_batch(batch, err) : 0;
}

/* ---- whole images ---- */

/* A tile of the image that is held goes on, at the scale that was chosen; 0: none, it is as it is.
 */
static int release(struct batch *batch, struct held *held, size_t i, double scale, struct err *err)
{
    struct rescale_tile *tile = &held->image.tiles[i];
    struct rescale_window window = {.scale = scale};
    if (tile->is_done && scale == 1) {
        tile->is_done = false;
        int result = run_batch(batch, err);
        return result ? result : put_sample(batch, held->samples[i], &tile->result, scale, err);
    }
    if (scale > 0 && scale != 1 && rescale_window(&held->image, i, scale, &window, err))
        return -1;
    return take_sample(batch, held->samples[i], &tile->input, &window, err);
}

static int release_all(struct batch *batch, struct held *held, double scale, struct err *err)
{
    int result = 0;
    for (size_t i = 0; i < held->image.count && !result; i++)
        result = release(batch, held, i, scale, err);
    held_clear(held);
    return result;
}

/* All its tiles are there. */
static int finish_image(struct batch *batch, struct held *held, struct err *err)
{
    double scale;
    int result = run_batch(batch, err);
    if (result)
        return result;
    if (rescale_choose(batch->model, batch->options->device, &batch->options->what, &held->image,
                       &scale, err))
        return err_prefix(err, "sample '%s'", held->samples[0]->key);
    return release_all(batch, held, scale, err);
}

static int hold_sample(struct batch *batch, struct held *held, struct sample *sample,
                       const struct inference_input *input, struct err *err)
{
    if (!held_takes(held, &batch->meta, input->image)) {
        int result = release_all(batch, held, 0, err);
        if (result)
            return result;
    }
    if (!held_takes(held, &batch->meta, input->image))
        return take_sample(batch, sample, input, &as_it_is, err);
    if (held_add(held, sample, &batch->meta, input, err))
        return -1;
    return held_is_whole(held) ? finish_image(batch, held, err) : 0;
}

int tiles_predict(struct model *model, const struct tiles_options *options, struct relay *relay,
                  struct err *err)
{
    static struct batch batch;
    int result = 0;
    struct held held = {0};
    struct inference_input input;
    batch = (struct batch){.model = model, .options = options, .relay = relay};
    for (struct sample *sample; !result && (sample = relay_take(relay));) {
        result = see_sample(&batch, sample, &input, err);
        if (!result)
            result = options->rescale ? hold_sample(&batch, &held, sample, &input, err)
                                      : take_sample(&batch, sample, &input, &as_it_is, err);
    }
    if (!result && !relay_cut(relay))
        result = release_all(&batch, &held, 0, err);
    if (!result && !relay_cut(relay))
        result = run_batch(&batch, err);
    held_free(&held);
    return result < 0 ? -1 : 0;
}
