#include "predict/inference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "objects/flows.h"
#include "pixels/planes.h"
#include "predict/cellpose_eval.h"

/* ---- pixels to the network's input ---- */

struct batch {
    int64_t n, channels;   /* channels that are given to the network */
    int64_t height, width; /* of the images */
    int64_t padded_height, padded_width;
};

static struct batch batch_of(const struct model *model, const struct inference_input *inputs,
                             size_t n)
{
    struct batch b = {.n = (int64_t)n};
    b.height = (int64_t)inputs[0].image->shape[0];
    b.width = (int64_t)inputs[0].image->shape[1];
    b.channels = planes_seen(inputs[0].image->shape[2], model_channels(model));
    b.padded_height = (int64_t)planes_side((size_t)b.height, (size_t)model_multiple(model));
    b.padded_width = (int64_t)planes_side((size_t)b.width, (size_t)model_multiple(model));
    return b;
}

static nn_tensor *input_tensor(const struct model *model, const struct batch *b,
                               const struct inference_input *inputs, struct err *err)
{
    int64_t shape[] = {b->n, b->channels, b->padded_height, b->padded_width};
    size_t image = (size_t)(b->channels * b->padded_height * b->padded_width);
    float *values = malloc((size_t)b->n * image * sizeof *values);
    int result = values ? 0 : err_memory(err, "a batch of images");
    for (size_t i = 0; i < (size_t)b->n && result == 0; i++)
        result = planes_of(inputs[i].image, inputs[i].offset, inputs[i].gain, (int)b->channels,
                           (size_t)model_multiple(model), values + i * image, err);
    nn_tensor *x = result ? NULL : nn_from_host(values, DTYPE_F32, 4, shape);
    free(values);
    if (!x && result == 0)
        nn_to_err(err, "make a batch of images");
    return x;
}

/* ---- the network, once or for eight views ---- */

/* Of one look: probabilities and how unsure they are. */
struct look {
    nn_tensor *prob,
        *uncertainty; /* uncertainty: NULL when it is not asked for, or follows from prob */
    nn_tensor *flows; /* of length 1; NULL when they are not asked for */
};

/* Networks give flows times 5. */
static nn_tensor *unit_flows(const struct inference_options *options, const nn_tensor *flows)
{
    return options->flows ? nn_affine(flows, 1.0 / FLOW_NETWORK_SCALE, 0) : NULL;
}

static nn_tensor *uncertainty_of(const struct inference_options *options, const nn_tensor *logits,
                                 const nn_tensor *prob)
{
    switch (options->uncertainty) {
    case UNCERTAINTY_MAHALANOBIS:
        return uncertainty_mahalanobis(logits, options->gaussians);
    case UNCERTAINTY_ENERGY:
        return uncertainty_energy(logits);
    case UNCERTAINTY_TTA:
        return uncertainty_entropy(prob);
    default:
        return NULL;
    }
}

static nn_tensor *view(const nn_tensor *x, int i)
{
    nn_tensor *turned = nn_rotate90(x, i % 4);
    return nn_contiguous(i >= 4 ? nn_flip(turned, 3) : turned);
}

static nn_tensor *view_back(const nn_tensor *y, int i)
{
    return nn_rotate90(i >= 4 ? nn_flip(y, 3) : y, -(i % 4));
}

/* The same of flows, whose arrows turn, too. */
static nn_tensor *flows_back(const nn_tensor *flows, int i)
{
    nn_tensor *y = nn_narrow(flows, 1, 0, 1), *x = nn_narrow(flows, 1, 1, 1);
    if (i >= 4)
        x = nn_affine(x, -1, 0);
    for (int turn = 0; turn < i % 4; turn++) {
        nn_tensor *before = y;
        y = x;
        x = nn_affine(before, -1, 0);
    }
    return view_back(nn_cat2(y, x, 1), i);
}

static int look(struct model *model, const struct inference_options *options, const nn_tensor *x,
                struct look *look, struct err *err)
{
    struct model_output out;
    if (model_forward(model, x, &out, err))
        return -1;
    look->prob = nn_softmax(out.logits, 1);
    look->uncertainty = uncertainty_of(options, out.logits, look->prob);
    look->flows = unit_flows(options, out.flows);
    return 0;
}

/* The i-th view's classes and, after them, its flows and its uncertainty, turned back. */
static nn_tensor *look_at_view(struct model *model, const struct inference_options *options,
                               const nn_tensor *x, int i, struct err *err)
{
    struct look seen;
    if (look(model, options, view(x, i), &seen, err))
        return NULL;
    nn_tensor *all = view_back(seen.prob, i);
    if (options->flows)
        all = nn_cat2(all, flows_back(seen.flows, i), 1);
    return seen.uncertainty ? nn_cat2(all, view_back(nn_unsqueeze(seen.uncertainty, 1), i), 1)
                            : all;
}

/* Means over the eight views. */
static int look_around(struct model *model, const struct inference_options *options,
                       const nn_tensor *x, struct look *mean, struct err *err)
{
    nn_tensor *sum = NULL;
    int64_t classes = model_classes(model);
    for (int i = 0; i < 8; i++) {
        if (nn_scope_begin())
            return nn_to_err(err, "run the model");
        nn_tensor *seen = look_at_view(model, options, x, i, err);
        sum = nn_scope_end_keep(sum && seen ? nn_add(sum, seen) : seen);
        if (!sum)
            return -1;
    }
    sum = nn_affine(sum, 1.0 / 8, 0);
    mean->prob = nn_narrow(sum, 1, 0, classes);
    int64_t flows = options->flows ? MODEL_FLOWS : 0;
    mean->flows = flows ? nn_narrow(sum, 1, classes, flows) : NULL;
    mean->uncertainty =
        nn_size(sum, 1) > classes + flows ? nn_select(sum, 1, classes + flows) : NULL;
    return 0;
}

struct answer {
    nn_tensor *prob, *logits, *flows, *uncertainty;
};

/* The diameter of the cells seen at that scale; none seen: the network's mean, as
 * published. */
static int refine_diameter(struct model *model, const struct inference_options *options,
                           const nn_tensor *x, double mean, double *diameter, struct err *err)
{
    size_t height = (size_t)nn_size(x, 2), width = (size_t)nn_size(x, 3);
    size_t bytes = 3 * height * width * sizeof(float);
    nn_tensor *y = cellpose_eval(model, x, mean / *diameter, err);
    if (!y)
        return -1;
    float *logits = malloc(bytes + 1);
    if (!logits)
        return err_memory(err, "flows");
    int result = nn_to_host(y, logits, DTYPE_F32, bytes)
                     ? nn_to_err(err, "flows")
                     : options->measure(logits, height, width, diameter, err);
    free(logits);
    if (result == 0 && !(*diameter > 0))
        *diameter = mean;
    return result;
}

/* In two steps, as published: from the style, then from the cells that are seen when
 * the image is scaled for that. */
static int estimate_diameter(struct model *model, const struct inference_options *options,
                             const nn_tensor *x, double mean, double *diameter, struct err *err)
{
    int64_t width = (int64_t)options->size->width;
    float *values = NULL;
    nn_tensor *style = cellpose_style(model, x, err);
    if (!style)
        return -1;
    if (nn_count(style) != width)
        return err_set(err, STATUS_DATA, "the size model is for styles of %lld, not %lld",
                       (long long)width, (long long)nn_count(style));
    values = malloc((size_t)width * sizeof *values);
    if (!values)
        return err_memory(err, "a style");
    int failed = nn_to_host(style, values, DTYPE_F32, (size_t)width * sizeof *values);
    if (!failed)
        *diameter = size_model_diameter(options->size, values);
    free(values);
    if (failed)
        return nn_to_err(err, "a style");
    return options->measure ? refine_diameter(model, options, x, mean, diameter, err) : 0;
}

/* The diameter that an image is scaled for. */
static int settle_diameter(struct model *model, const struct inference_options *options,
                           const nn_tensor *x, double mean, double *diameter, struct err *err)
{
    if (options->diameter > 0)
        *diameter = options->diameter;
    else if (options->size)
        return estimate_diameter(model, options, x, mean, diameter, err);
    return 0;
}

static nn_tensor *flows_of_one(struct model *model, const struct inference_options *options,
                               const nn_tensor *x, double *diameter, struct err *err)
{
    double mean;
    if (cellpose_diameters(model, &mean, diameter, err) ||
        settle_diameter(model, options, x, mean, diameter, err))
        return NULL;
    return cellpose_eval(model, x, mean / *diameter, err);
}

/* Each image on its own: its border is its own affair. */
static nn_tensor *flows_of(struct model *model, const struct inference_options *options,
                           const nn_tensor *x, const struct batch *b,
                           struct inference_result *results, struct err *err)
{
    nn_tensor *all = NULL;
    x = nn_narrow(nn_narrow(x, 2, 0, b->height), 3, 0, b->width);
    for (int64_t i = 0; i < b->n; i++) {
        if (nn_scope_begin()) {
            nn_to_err(err, "run the model");
            return NULL;
        }
        nn_tensor *one =
            flows_of_one(model, options, nn_narrow(x, 0, i, 1), &results[i].diameter, err);
        all = nn_scope_end_keep(all && one ? nn_cat2(all, one, 0) : one);
        if (!all)
            return NULL;
    }
    return all;
}

/* Of a network of flows: background and cell, by the sigmoid of the cell logit. */
static nn_tensor *cells_of(const nn_tensor *logits)
{
    nn_tensor *cell = nn_sigmoid(nn_narrow(logits, 1, 2, 1));
    return nn_cat2(nn_affine(cell, -1, 1), cell, 1);
}

static int ask(struct model *model, const struct inference_options *options, const nn_tensor *x,
               const struct batch *b, struct answer *answer, struct inference_result *results,
               struct err *err)
{
    struct model_output out;
    if (!model_has_softmax(model)) {
        answer->logits = flows_of(model, options, x, b, results, err);
        answer->prob = options->prob && answer->logits ? cells_of(answer->logits) : NULL;
        return answer->logits ? 0 : -1;
    }
    struct look seen = {0};
    if (options->tta) {
        if (look_around(model, options, x, &seen, err))
            return -1;
        answer->logits = options->logits ? nn_log(nn_clamp(seen.prob, 1e-30, 1)) : NULL;
    } else {
        if (model_forward(model, x, &out, err))
            return -1;
        answer->logits = out.logits;
        bool needed = options->prob || options->uncertainty == UNCERTAINTY_ENTROPY;
        seen.prob = needed ? nn_softmax(out.logits, 1) : NULL;
        seen.uncertainty = uncertainty_of(options, out.logits, seen.prob);
        seen.flows = unit_flows(options, out.flows);
    }
    answer->prob = seen.prob;
    answer->flows = seen.flows;
    answer->uncertainty = seen.uncertainty;
    if (options->uncertainty == UNCERTAINTY_ENTROPY)
        answer->uncertainty = uncertainty_entropy(seen.prob);
    if (options->uncertainty == UNCERTAINTY_TTA)
        answer->uncertainty =
            nn_clamp(nn_sub(uncertainty_entropy(seen.prob), seen.uncertainty), 0, 1);
    return 0;
}

/* ---- tensors to results ---- */

/* The i-th of a batch, without padding, as a new array. */
static int take(struct array *array, const nn_tensor *tensor, int64_t i, enum dtype dtype,
                const struct batch *b, struct err *err)
{
    size_t shape[3];
    nn_tensor *one = nn_select(tensor, 0, i);
    one = nn_narrow(nn_narrow(one, -1, 0, b->width), -2, 0, b->height);
    if (!one)
        return nn_to_err(err, "take the result");
    for (int d = 0; d < nn_ndim(one); d++)
        shape[d] = (size_t)nn_size(one, d);
    if (array_new(array, dtype, nn_ndim(one), shape, err))
        return -1;
    if (nn_to_host(one, array->data, dtype, array_bytes(array)))
        return nn_to_err(err, "take the result");
    return 0;
}

static int take_result(struct inference_result *result, const struct answer *a, int64_t i,
                       const struct inference_options *options, const struct batch *b,
                       struct err *err)
{
    if (options->prob && take(&result->prob, a->prob, i, DTYPE_F16, b, err))
        return -1;
    if (options->logits && take(&result->logits, a->logits, i, DTYPE_F32, b, err))
        return -1;
    if (options->flows && take(&result->flows, a->flows, i, DTYPE_F16, b, err))
        return -1;
    if (options->uncertainty != UNCERTAINTY_NONE &&
        take(&result->uncertainty, a->uncertainty, i, DTYPE_F16, b, err))
        return -1;
    return 0;
}

struct array *inference_map(struct inference_result *result, int map)
{
    struct array *const maps[INFERENCE_MAPS] = {&result->prob, &result->logits, &result->flows,
                                                &result->uncertainty};
    return maps[map];
}

void inference_free(struct inference_result *result)
{
    for (int map = 0; map < INFERENCE_MAPS; map++)
        array_free(inference_map(result, map));
}

static int run_in_scope(struct model *model, int device, const struct inference_options *options,
                        const struct inference_input *inputs, size_t n,
                        struct inference_result *results, struct err *err)
{
    struct answer answer = {0};
    struct batch b = batch_of(model, inputs, n);
    nn_tensor *x = input_tensor(model, &b, inputs, err);
    if (!x)
        return -1;
    if (device >= 0 && !(x = nn_to_device(x, device)))
        return nn_to_err(err, "move a batch to the device");
    if (ask(model, options, x, &b, &answer, results, err))
        return -1;
    for (size_t i = 0; i < n; i++)
        if (take_result(&results[i], &answer, (int64_t)i, options, &b, err))
            return -1;
    return 0;
}

int inference_run(struct model *model, int device, const struct inference_options *options,
                  const struct inference_input *inputs, size_t n, struct inference_result *results,
                  struct err *err)
{
    memset(results, 0, n * sizeof *results);
    for (size_t i = 0; i < n; i++)
        if (planes_check(inputs[i].image, model_channels(model), err))
            return -1;
    if (nn_scope_begin())
        return nn_to_err(err, "run the model");
    int failed = run_in_scope(model, device, options, inputs, n, results, err);
    nn_scope_end();
    for (size_t i = 0; failed && i < n; i++)
        inference_free(&results[i]);
    return failed;
}
