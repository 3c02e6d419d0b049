#include "predict/tiles.h"

#include <string.h>

#include "pixels/planes.h"
#include "predict/held.h"
#include "predict/rescale.h"
#include "stream/walk.h"

struct batch {
    struct model *model;
    const struct tiles_options *options;
    struct relay *relay;
    struct sample *samples[TILES_MAX_BATCH];
    struct inference_input inputs[TILES_MAX_BATCH];
    struct inference_result results[TILES_MAX_BATCH];
    size_t count;
    double scale;          /* of them all, which the network chose; 0: it was not asked */
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

/* 1 when nothing more can be written. */
static int put_sample(struct batch *batch, struct sample *sample, struct inference_result *result,
                      struct err *err)
{
    const struct inference_options *what = &batch->options->what;
    const struct told told = {.diameter = result->diameter,
                              .scale = batch->scale,
                              .has_flows = what->flows,
                              .ridges = what->ridges};
    struct tile_meta meta;
    if (put_results(sample, result, batch->options, err) || put_told(sample, &told, &meta, err))
        return -1;
    walk_progress(&batch->at, &meta, relay_images(batch->relay), batch->options->progress);
    return relay_put(batch->relay, sample) ? 0 : 1;
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
    for (size_t i = 0; i < count && !result; i++)
        result = put_sample(batch, batch->samples[i], &batch->results[i], err);
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

static int take_sample(struct batch *batch, struct sample *sample,
                       const struct inference_input *input, struct err *err)
{
    if (!fits(batch, input->image)) {
        int result = run_batch(batch, err);
        if (result)
            return result;
    }
    size_t i = batch->count++;
    batch->samples[i] = sample;
    batch->inputs[i] = *input;
    return batch->count == batch->options->batch ? run_batch(batch, err) : 0;
}

/* ---- whole images ---- */

/* An image whose tiles wait, as tiles_options say. */
struct shown {
    struct held held;
    bool is_judged; /* it is known how it is shown */
    bool is_parted; /* through windows of its own, of which tiles have parts; else as its tiles */
    struct view view;
    struct rescale_image choice;
    struct whole whole;
};

/* A tile goes on as it is. */
static int release_tile(struct batch *batch, const struct held_tile *tile,
                        struct whole_answer *answer, struct err *err)
{
    if (!answer || !answer->is_done)
        return take_sample(batch, tile->sample, &tile->input, err);
    answer->is_done = false;
    int result = run_batch(batch, err);
    return result ? result : put_sample(batch, tile->sample, &answer->result, err);
}

/* All of them; those that are windows of the image may have been computed before. */
static int release_tiles(struct batch *batch, struct shown *shown, struct err *err)
{
    struct held *held = &shown->held;
    struct whole_answer *answers = shown->choice.answers;
    size_t first = (size_t)held->taken - held->count, n = held->count;
    int result = 0;
    for (size_t i = 0; i < n && !result; i++)
        result = release_tile(batch, &held->tiles[i], answers ? &answers[first + i] : NULL, err);
    held_shift(held, n);
    return result;
}

static int release_part(struct batch *batch, struct shown *shown, const struct held_tile *tile,
                        int64_t known, struct err *err)
{
    struct inference_result answer;
    struct band *rows = &shown->held.image.rows;
    int64_t needed = whole_drop(&shown->whole, tile->place.y);
    band_drop(rows, needed < rows->bottom ? needed : rows->bottom - 1);
    if (whole_part(&shown->whole, tile->place, known, &answer, err))
        return err_prefix(err, "sample '%s'", tile->sample->key);
    return put_sample(batch, tile->sample, &answer, err);
}

/* Those tiles that have all that they need among the rows above `known`. */
static int release_parts(struct batch *batch, struct shown *shown, int64_t known, struct err *err)
{
    struct held *held = &shown->held;
    size_t n = 0;
    int result = 0;
    for (; n < held->count && !result; n++) {
        const struct windows_part *place = &held->tiles[n].place;
        if (whole_reach(&shown->whole, place->y + place->height) > known)
            break;
        result = release_part(batch, shown, &held->tiles[n], known, err);
    }
    held_shift(held, n);
    return result;
}

static void begin_parts(struct batch *batch, struct shown *shown)
{
    const struct whole_options how = {.view = &shown->view,
                                      .batch = batch->options->batch,
                                      .scale = batch->scale,
                                      .answers = batch->scale == 1 ? shown->choice.answers : NULL};
    shown->is_parted = true;
    whole_new(&shown->whole, &how);
}

/* How the image is shown, by as much of it as is there. */
static int judge(struct batch *batch, struct shown *shown, struct err *err)
{
    struct held *held = &shown->held;
    const struct tiles_options *options = batch->options;
    int result = run_batch(batch, err);
    shown->is_judged = true;
    if (result)
        return result;
    result = held_join(held, err);
    if (result)
        return result < 0 ? -1 : 0;
    shown->view = (struct view){.model = batch->model,
                                .device = options->device,
                                .what = &options->what,
                                .image = &held->image,
                                .offset = held->like.offset,
                                .gain = held->like.gain};
    if (rescale_new(&shown->choice, &shown->view, held_known(held), err))
        return -1;
    if (rescale_choose(&shown->choice, &batch->scale, err))
        return err_prefix(err, "sample '%s'", held->tiles[0].sample->key);
    if (batch->scale == 1 && held->is_cut_so)
        held_part(held);
    else
        begin_parts(batch, shown);
    return 0;
}

/* No more of its tiles will come. */
static int end_image(struct batch *batch, struct shown *shown, struct err *err)
{
    int result = shown->is_parted ? release_parts(batch, shown, INT64_MAX, err)
                                  : release_tiles(batch, shown, err);
    if (!result && shown->is_judged)
        result = run_batch(batch, err);
    whole_free(&shown->whole);
    rescale_free(&shown->choice);
    held_clear(&shown->held);
    *shown = (struct shown){.held = shown->held};
    batch->scale = 0;
    return result;
}

/* A tile more of the image. */
static int show_more(struct batch *batch, struct shown *shown, struct err *err)
{
    struct held *held = &shown->held;
    int result = 0;
    if (!shown->is_judged && (held_is_whole(held) || held_is_full(held)))
        result = judge(batch, shown, err);
    if (result || held_is_whole(held))
        return result ? result : end_image(batch, shown, err);
    if (!shown->is_judged)
        return 0;
    return shown->is_parted ? release_parts(batch, shown, held_known(held), err)
                            : release_tiles(batch, shown, err);
}

static int hold_sample(struct batch *batch, struct shown *shown, struct sample *sample,
                       const struct inference_input *input, struct err *err)
{
    struct held *held = &shown->held;
    if (!held_takes(held, &batch->meta, input)) {
        int result = end_image(batch, shown, err);
        if (result)
            return result;
    }
    if (!held_takes(held, &batch->meta, input))
        return take_sample(batch, sample, input, err);
    if (held_add(held, sample, &batch->meta, input, err))
        return -1;
    return show_more(batch, shown, err);
}

static void free_shown(struct shown *shown)
{
    whole_free(&shown->whole);
    rescale_free(&shown->choice);
    held_free(&shown->held);
}

int tiles_predict(struct model *model, const struct tiles_options *options, struct relay *relay,
                  struct err *err)
{
    static struct batch batch;
    int result = 0;
    struct shown shown = {0};
    struct inference_input input;
    batch = (struct batch){.model = model, .options = options, .relay = relay};
    for (struct sample *sample; !result && (sample = relay_take(relay));) {
        result = see_sample(&batch, sample, &input, err);
        if (!result)
            result = options->rescale ? hold_sample(&batch, &shown, sample, &input, err)
                                      : take_sample(&batch, sample, &input, err);
    }
    if (!result && !relay_cut(relay))
        result = end_image(&batch, &shown, err);
    if (!result && !relay_cut(relay))
        result = run_batch(&batch, err);
    free_shown(&shown);
    return result < 0 ? -1 : 0;
}
