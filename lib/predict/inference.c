#include "predict/inference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/target.h"
#include "objects/flows.h"
#include "predict/cellpose_eval.h"

/* ---- pixels to the network's input ---- */

struct batch {
    const struct model *model;
    int64_t n, channels;   /* channels that are given to the network: 1 when all are grey */
    int64_t height, width; /* of the images */
    int64_t padded_height, padded_width;
};

/* Colour channels without alpha: 1, 3, or as many as the network takes. */
static int64_t seen_channels(const struct model *model, size_t channels)
{
    if ((int64_t)channels == model_channels(model))
        return (int64_t)channels;
    return channels <= 2 ? 1 : channels <= 4 ? 3 : -1;
}

int inference_check(const struct model *model, const struct array *image, struct err *err)
{
    int64_t wanted = model_channels(model), seen = seen_channels(model, image->shape[2]);
    if (image->ndim != 3 || !image->shape[0] || !image->shape[1])
        return err_set(err, STATUS_DATA, "the image has no pixels");
    if (seen != 1 && seen != wanted && !(seen == 3 && wanted <= 2))
        return err_set(err, STATUS_DATA, "%zu channels, but the network takes %lld",
                       image->shape[2], (long long)wanted);
    return 0;
}

/* One channel of a row, `step` elements from pixel to pixel. */
#define DEFINE_ROW(name, type)                                                                     \
    CLONES(static, void, name,                                                                     \
           (float *to, const type *from, size_t width, size_t step, float offset, float gain),     \
           (to, from, width, step, offset, gain))                                                  \
    {                                                                                              \
        for (size_t x = 0; x < width; x++)                                                         \
            to[x] = ((float)from[x * step] - offset) * gain;                                       \
    }
DEFINE_ROW(row_of_u8, uint8_t)
DEFINE_ROW(row_of_u16, uint16_t)
DEFINE_ROW(row_of_f32, float)

static void convert_row(float *to, const struct array *image, size_t y, size_t channel,
                        const struct inference_input *input)
{
    size_t width = image->shape[1], step = image->shape[2], at = y * width * step + channel;
    float offset = (float)input->offset, gain = (float)input->gain;
    if (image->dtype == DTYPE_U8)
        row_of_u8(to, (const uint8_t *)image->data + at, width, step, offset, gain);
    else if (image->dtype == DTYPE_U16)
        row_of_u16(to, (const uint16_t *)image->data + at, width, step, offset, gain);
    else
        row_of_f32(to, (const float *)image->data + at, width, step, offset, gain);
}

static const float luma[] = {0.299f, 0.587f, 0.114f};

static void luma_row(float *to, float *scratch, const struct array *image, size_t y,
                     const struct inference_input *input)
{
    memset(to, 0, image->shape[1] * sizeof *to);
    for (size_t c = 0; c < 3; c++) {
        convert_row(scratch, image, y, c, input);
        for (size_t x = 0; x < image->shape[1]; x++)
            to[x] += luma[c] * scratch[x];
    }
}

/* One channel, its last row and column repeated into the padding. */
static void fill_plane(float *plane, float *scratch, const struct batch *b,
                       const struct inference_input *input, int64_t channel)
{
    const struct array *image = input->image;
    bool mixed = b->channels == 1 && image->shape[2] > 2;
    int64_t source =
        image->shape[2] <= 2 && b->channels > 1 && image->shape[2] != (size_t)b->channels ? 0
                                                                                          : channel;
    for (int64_t y = 0; y < b->height; y++) {
        float *row = plane + y * b->padded_width;
        if (mixed)
            luma_row(row, scratch, image, (size_t)y, input);
        else
            convert_row(row, image, (size_t)y, (size_t)source, input);
        for (int64_t x = b->width; x < b->padded_width; x++)
            row[x] = row[b->width - 1];
    }
    const float *last = plane + (b->height - 1) * b->padded_width;
    for (int64_t y = b->height; y < b->padded_height; y++)
        memcpy(plane + y * b->padded_width, last, (size_t)b->padded_width * sizeof *plane);
}

static int64_t rounded_up(int64_t size, int64_t multiple)
{
    return (size + multiple - 1) / multiple * multiple;
}

static struct batch batch_of(const struct model *model, const struct inference_input *inputs,
                             size_t n)
{
    struct batch b = {.model = model, .n = (int64_t)n, .channels = 1};
    b.height = (int64_t)inputs[0].image->shape[0];
    b.width = (int64_t)inputs[0].image->shape[1];
    b.padded_height = rounded_up(b.height, model_multiple(model));
    b.padded_width = rounded_up(b.width, model_multiple(model));
    for (size_t i = 0; i < n; i++)
        if (seen_channels(model, inputs[i].image->shape[2]) == model_channels(model))
            b.channels = model_channels(model);
    return b;
}

static nn_tensor *input_tensor(const struct batch *b, const struct inference_input *inputs,
                               struct err *err)
{
    int64_t shape[] = {b->n, b->channels, b->padded_height, b->padded_width};
    size_t plane = (size_t)b->padded_height * (size_t)b->padded_width;
    size_t room = plane * (size_t)b->n * (size_t)b->channels;
    float *values = malloc((room + (size_t)b->width) * sizeof *values);
    if (!values) {
        err_memory(err, "a batch of images");
        return NULL;
    }
    for (int64_t i = 0; i < b->n; i++)
        for (int64_t c = 0; c < b->channels; c++)
            fill_plane(values + (size_t)(i * b->channels + c) * plane, values + room, b, &inputs[i],
                       c);
    nn_tensor *x = nn_from_host(values, DTYPE_F32, 4, shape);
    free(values);
    if (!x)
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

static void free_result(struct inference_result *result)
{
    array_free(&result->prob);
    array_free(&result->logits);
    array_free(&result->flows);
    array_free(&result->uncertainty);
}

static int run_in_scope(struct model *model, int device, const struct inference_options *options,
                        const struct inference_input *inputs, size_t n,
                        struct inference_result *results, struct err *err)
{
    struct answer answer = {0};
    struct batch b = batch_of(model, inputs, n);
    nn_tensor *x = input_tensor(&b, inputs, err);
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
        if (inference_check(model, inputs[i].image, err))
            return -1;
    if (nn_scope_begin())
        return nn_to_err(err, "run the model");
    int failed = run_in_scope(model, device, options, inputs, n, results, err);
    nn_scope_end();
    for (size_t i = 0; failed && i < n; i++)
        free_result(&results[i]);
    return failed;
}
