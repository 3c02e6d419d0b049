#include "model/model.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "model/internal.h"
#include "model/registry.h"

/* ---- the word and its options ---- */

static int bad_options(const char *architecture, const char *text, struct err *err)
{
    return err_set(err, STATUS_USAGE, "architecture '%s': '%s' is not NAME=VALUE", architecture,
                   text);
}

static int parse_options(struct options *options, const char *architecture, struct err *err)
{
    const char *colon = strchr(architecture, ':');
    *options = (struct options){0};
    if (!colon)
        return 0;
    if (strlen(colon + 1) >= sizeof options->text)
        return err_set(err, STATUS_USAGE, "architecture '%s': options too long", architecture);
    strcpy(options->text, colon + 1);
    char *rest = NULL;
    for (char *word = strtok_r(options->text, ",", &rest); word;
         word = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(word, '=');
        if (!equals || options->count == MAX_OPTIONS)
            return bad_options(architecture, word, err);
        *equals = '\0';
        options->items[options->count].name = word;
        options->items[options->count++].value = equals + 1;
    }
    return 0;
}

static int check_options_used(const struct options *options, const struct architecture *kind,
                              struct err *err)
{
    for (int i = 0; i < options->count; i++)
        if (!options->items[i].used)
            return err_set(err, STATUS_USAGE, "architecture '%s' has no option '%s' (it has: %s)",
                           kind->name, options->items[i].name,
                           *kind->options ? kind->options : "none");
    return 0;
}

static const struct architecture *find_architecture(const char *architecture, struct err *err)
{
    size_t length = strcspn(architecture, ":");
    for (int i = 0; architectures[i]; i++)
        if (strlen(architectures[i]->name) == length &&
            memcmp(architectures[i]->name, architecture, length) == 0)
            return architectures[i];
    err_set(err, STATUS_USAGE, "unknown architecture '%s'", architecture);
    return NULL;
}

int model_find_traits(const char *architecture, struct model_traits *traits, struct err *err)
{
    const struct architecture *kind = find_architecture(architecture, err);
    if (!kind)
        return -1;
    *traits = (struct model_traits){kind->zero_channels, kind->has_teacher};
    return 0;
}

/* ---- making ---- */

static int build(struct model *m, struct options *options, struct err *err)
{
    struct builder builder = {.model = m, .options = options, .err = err};
    m->flows = m->kind->no_softmax ? 0 : option_int(&builder, "flows", 0, 2, 0);
    int outputs = m->classes + (m->flows ? MODEL_FLOWS : 0);
    m->state = m->kind->build(&builder, m->kind, outputs, m->channels);
    if (builder.failed)
        return -1;
    if (!m->state)
        return err_memory(err, "a model");
    return check_options_used(options, m->kind, err);
}

int model_new(struct model **model, const char *architecture, int classes, int channels,
              struct err *err)
{
    struct options options;
    const struct architecture *kind = find_architecture(architecture, err);
    if (!kind || parse_options(&options, architecture, err))
        return -1;
    if (classes < 1 || classes > 4096 || channels < 1 || channels > 64)
        return err_set(err, STATUS_USAGE, "a network with %d classes and %d channels", classes,
                       channels);
    struct model *m = calloc(1, sizeof *m);
    if (!m)
        return err_memory(err, "a model");
    m->kind = kind;
    m->classes = kind->outputs ? kind->outputs : classes;
    m->channels = channels > 1 ? channels : kind->gray_as_rgb ? 3 : kind->zero_channels ? 2 : 1;
    m->device = NN_CPU;
    snprintf(m->architecture, sizeof m->architecture, "%s", architecture);
    if (build(m, &options, err)) {
        model_free(m);
        return -1;
    }
    *model = m;
    return 0;
}

static void drop_plans(struct model *m)
{
    for (size_t i = 0; i < m->planned_count; i++)
        m->planned[i].drop(m->planned[i].layer);
    m->mode.planned = false;
}

void model_free(struct model *model)
{
    if (!model)
        return;
    drop_plans(model);
    if (model->state)
        model->kind->free(model->state);
    for (size_t i = 0; i < model->count; i++) {
        free(model->parameters[i].name);
        nn_free(model->parameters[i].tensor);
    }
    free(model->parameters);
    free(model->starts);
    free(model->planned);
    free(model);
}

static const struct array *find_like(const struct weights *weights, const char *pattern)
{
    for (size_t i = 0; i < weights->count; i++)
        if (fnmatch(pattern, weights->items[i].name, 0) == 0)
            return &weights->items[i].array;
    return NULL;
}

/* A number that the metadata has or the shape of a parameter like `pattern` shows;
 * 0 when neither. */
static int number_from(const struct weights *weights, const char *key, const char *pattern, int dim,
                       int *number, struct err *err)
{
    const char *text = weights_metadata(weights, key);
    int64_t value = 0;
    struct err bad;
    if (text && num_int(text, 1, 4096, &value, &bad))
        return err_set(err, STATUS_DATA, "metadata '%s': %s", key, bad.message);
    const struct array *array = find_like(weights, pattern);
    if (!text && array && dim < array->ndim)
        value = (int64_t)array->shape[dim];
    *number = value > 0 && value <= 4096 ? (int)value : 0;
    return 0;
}

int model_open(struct model **model, const struct weights *weights, const char *architecture,
               struct err *err)
{
    int classes, channels;
    if (!architecture)
        architecture = weights_metadata(weights, "architecture");
    if (!architecture)
        return err_set(err, STATUS_USAGE,
                       "the weights do not name their architecture; name it with -a");
    const struct architecture *kind = find_architecture(architecture, err);
    if (!kind || number_from(weights, "classes", kind->last, 0, &classes, err) ||
        number_from(weights, "channels", kind->first, 1, &channels, err))
        return -1;
    if (!classes || !channels)
        return err_set(err, STATUS_DATA, "weights of another architecture than '%s': no '%s'",
                       architecture, classes ? kind->first : kind->last);
    if (model_new(model, architecture, classes, channels, err))
        return -1;
    if (model_load(*model, weights, err)) {
        model_free(*model);
        *model = NULL;
        return -1;
    }
    return 0;
}

/* ---- loading ---- */

/* From dimension `first` on. */
static bool has_shape(const nn_tensor *tensor, const struct array *array, int first)
{
    if (nn_ndim(tensor) != array->ndim)
        return false;
    for (int i = first; i < array->ndim; i++)
        if (nn_size(tensor, i) != (int64_t)array->shape[i])
            return false;
    return true;
}

struct mismatch {
    size_t missing, surplus, misshapen;
    char first[240]; /* the first two of them */
    int named;
};

static void name_mismatch(struct mismatch *mismatch, size_t *counter, const char *name,
                          const char *what)
{
    size_t length = strlen(mismatch->first);
    ++*counter;
    if (mismatch->named++ < 2)
        snprintf(mismatch->first + length, sizeof mismatch->first - length, "%s'%.80s' %s",
                 length ? ", " : "", name, what);
}

static void describe_shapes(char *text, size_t size, const nn_tensor *tensor,
                            const struct array *array)
{
    int length = snprintf(text, size, "has shape [");
    for (int i = 0; i < array->ndim && length < (int)size; i++)
        length +=
            snprintf(text + length, size - (size_t)length, "%s%zu", i ? "," : "", array->shape[i]);
    if (length < (int)size)
        length += snprintf(text + length, size - (size_t)length, "], not [");
    for (int i = 0; i < nn_ndim(tensor) && length < (int)size; i++)
        length += snprintf(text + length, size - (size_t)length, "%s%lld", i ? "," : "",
                           (long long)nn_size(tensor, i));
    if (length < (int)size)
        snprintf(text + length, size - (size_t)length, "]");
}

static bool matches_any(const char *const *patterns, const char *name)
{
    for (const char *const *p = patterns; p && *p; p++)
        if (fnmatch(*p, name, 0) == 0)
            return true;
    return false;
}

static bool is_ours(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->parameters[i].name, name) == 0)
            return true;
    return matches_any(m->kind->constants, name);
}

static int report_mismatch(const struct model *m, const struct mismatch *mismatch, struct err *err)
{
    if (!mismatch->named)
        return 0;
    return err_set(err, STATUS_DATA,
                   "not weights of '%s': %s (%zu missing, %zu surplus, %zu of another shape)",
                   m->architecture, mismatch->first, mismatch->missing, mismatch->surplus,
                   mismatch->misshapen);
}

/* A parameter of the layer that gives the classes: kind->last or its bias. */
static bool is_head(const struct architecture *kind, const char *name)
{
    char pattern[120];
    const char *end = strstr(kind->last, ".weight");
    snprintf(pattern, sizeof pattern, "%.*s.*", end ? (int)(end - kind->last) : 0, kind->last);
    return end && fnmatch(pattern, name, 0) == 0;
}

/* The classes of a file, by its metadata, else the model's. */
static int classes_of(const struct model *m, const struct weights *weights, int *classes,
                      struct err *err)
{
    *classes = m->classes;
    return weights_metadata(weights, "classes")
               ? number_from(weights, "classes", m->kind->last, 0, classes, err)
               : 0;
}

/* Whether the array is what a head of so many classes has, with flows or without. */
static bool is_other_head(const struct model *m, const struct model_parameter *p,
                          const struct array *array, int classes)
{
    if (!is_head(m->kind, p->name) || array->ndim < 1 || !has_shape(p->tensor, array, 1))
        return false;
    int64_t outputs = m->classes + (m->flows ? MODEL_FLOWS : 0);
    int64_t rows = (int64_t)array->shape[0] * outputs, one = nn_size(p->tensor, 0);
    return rows == one * classes || rows == one * (classes + MODEL_FLOWS);
}

/* classes: of the file whose head may be another; 0: it may not. */
static int check_names(const struct model *m, const struct weights *weights, int classes,
                       struct err *err)
{
    struct mismatch mismatch = {0};
    for (size_t i = 0; i < m->count; i++) {
        const struct model_parameter *p = &m->parameters[i];
        const struct array *array = weights_find(weights, p->name);
        char shapes[120];
        if (!array && matches_any(m->kind->optional, p->name)) {
            continue;
        } else if (!array) {
            name_mismatch(&mismatch, &mismatch.missing, p->name, "is missing");
        } else if (!has_shape(p->tensor, array, 0) &&
                   !(classes && is_other_head(m, p, array, classes))) {
            describe_shapes(shapes, sizeof shapes, p->tensor, array);
            name_mismatch(&mismatch, &mismatch.misshapen, p->name, shapes);
        }
    }
    for (size_t i = 0; i < weights->count; i++)
        if (!is_ours(m, weights->items[i].name))
            name_mismatch(&mismatch, &mismatch.surplus, weights->items[i].name, "is surplus");
    return report_mismatch(m, &mismatch, err);
}

static int initialize(nn_tensor *tensor, struct start start)
{
    switch (start.initial) {
    case INIT_ZERO:
        return nn_fill_(tensor, 0);
    case INIT_ONE:
        return nn_fill_(tensor, 1);
    case INIT_VALUE:
        return nn_fill_(tensor, start.scale);
    case INIT_UNIFORM:
        return nn_uniform_(tensor, -start.scale, start.scale);
    case INIT_NORMAL:
        return nn_normal_(tensor, 0, start.scale);
    case INIT_TRUNCATED_NORMAL:
        return nn_truncated_normal_(tensor, start.scale);
    }
    return -1;
}

/* The rows that both have; what flows the tensor has beyond them stay as they are. */
static int load_rows(nn_tensor *tensor, const struct array *array)
{
    int64_t shape[ARRAY_MAX_DIMS] = {0};
    for (int i = 0; i < array->ndim; i++)
        shape[i] = (int64_t)array->shape[i];
    if (shape[0] > nn_size(tensor, 0))
        shape[0] = nn_size(tensor, 0);
    if (nn_scope_begin())
        return -1;
    bool gradients = nn_set_gradients(false);
    nn_tensor *rows = nn_narrow(tensor, 0, 0, shape[0]);
    nn_tensor *from = nn_from_host(array->data, array->dtype, array->ndim, shape);
    int failed = !rows || !from || nn_copy_(rows, from);
    nn_set_gradients(gradients);
    nn_scope_end();
    return failed;
}

/* `other`: the classes are others, and the head stays as it is. */
static int load_parameter(struct model *m, size_t i, const struct weights *weights, bool other)
{
    nn_tensor *tensor = m->parameters[i].tensor;
    const struct array *array = weights_find(weights, m->parameters[i].name);
    if (other && is_head(m->kind, m->parameters[i].name))
        return 0;
    if (array && !has_shape(tensor, array, 0))
        return load_rows(tensor, array);
    if (array)
        return nn_copy_from_host_(tensor, array->data, array->dtype);
    bool gradients = nn_set_gradients(false);
    int failed = initialize(tensor, m->starts[i]);
    nn_set_gradients(gradients);
    return failed;
}

/* 1 when `initial` and the classes are others. */
static int load_all(struct model *model, const struct weights *weights, bool initial,
                    struct err *err)
{
    int classes = 0;
    if ((initial && classes_of(model, weights, &classes, err)) ||
        check_names(model, weights, classes, err))
        return -1;
    bool other = initial && classes != model->classes;
    drop_plans(model);
    for (size_t i = 0; i < model->count; i++)
        if (load_parameter(model, i, weights, other))
            return nn_to_err(err, model->parameters[i].name);
    return other;
}

int model_load(struct model *model, const struct weights *weights, struct err *err)
{
    return load_all(model, weights, false, err);
}

int model_load_npz(struct model *model, const struct weights *npz, struct err *err)
{
    if (!model->kind->load_npz)
        return err_set(err, STATUS_USAGE, "architecture '%s' has no initialization from .npz",
                       model->architecture);
    drop_plans(model);
    return model->kind->load_npz(model, npz, err);
}

int model_load_initial(struct model *model, const struct weights *weights, struct err *err)
{
    if (weights->format && strcmp(weights->format, "npz") == 0)
        return model_load_npz(model, weights, err);
    if (!model->kind->is_pretrained || !model->kind->is_pretrained(weights))
        return load_all(model, weights, true, err);
    drop_plans(model);
    return model->kind->load_pretrained(model, weights, err);
}

int model_initialize(struct model *model, uint64_t seed, struct err *err)
{
    drop_plans(model);
    bool gradients = nn_set_gradients(false);
    int failed = nn_seed(seed);
    for (size_t i = 0; i < model->count && !failed; i++)
        failed = initialize(model->parameters[i].tensor, model->starts[i]);
    nn_set_gradients(gradients);
    return failed ? nn_to_err(err, "initialize the model") : 0;
}

/* ---- export ---- */

static int export_parameter(const struct model_parameter *p, struct weights *weights,
                            struct err *err)
{
    size_t shape[ARRAY_MAX_DIMS];
    struct array array;
    int ndim = nn_ndim(p->tensor);
    for (int i = 0; i < ndim; i++)
        shape[i] = (size_t)nn_size(p->tensor, i);
    if (array_new(&array, nn_dtype(p->tensor), ndim, shape, err))
        return -1;
    int failed = nn_to_host(p->tensor, array.data, array.dtype, array_bytes(&array))
                     ? nn_to_err(err, p->name)
                     : weights_add(weights, p->name, &array, err);
    array_free(&array);
    return failed;
}

int model_export(const struct model *model, struct weights *weights, struct err *err)
{
    char classes[16], channels[16];
    snprintf(classes, sizeof classes, "%d", model->classes);
    snprintf(channels, sizeof channels, "%d", model->channels);
    for (size_t i = 0; i < model->count; i++)
        if (export_parameter(&model->parameters[i], weights, err))
            return -1;
    if (weights_set_metadata(weights, "architecture", model->architecture, err) ||
        weights_set_metadata(weights, "classes", classes, err))
        return -1;
    return weights_set_metadata(weights, "channels", channels, err);
}

/* ---- what it is ---- */

const char *model_architecture(const struct model *model)
{
    return model->architecture;
}

int model_classes(const struct model *model)
{
    return model->classes;
}

int model_channels(const struct model *model)
{
    return model->channels;
}

int model_multiple(const struct model *model)
{
    return model->kind->multiple;
}

bool model_has_flows(const struct model *model)
{
    return model->flows != 0;
}

bool model_has_ridges(const struct model *model)
{
    return model->flows == MODEL_RIDGES;
}

bool model_has_softmax(const struct model *model)
{
    return !model->kind->no_softmax;
}

struct model_parameter *model_parameters(const struct model *model, size_t *count)
{
    *count = model->count;
    return model->parameters;
}

/* ---- running ---- */

int model_move(struct model *model, int device, struct err *err)
{
    drop_plans(model);
    for (size_t i = 0; i < model->count; i++) {
        struct model_parameter *p = &model->parameters[i];
        if (nn_move_(p->tensor, device, nn_dtype(p->tensor)))
            return nn_to_err(err, "move the model to the device");
    }
    model->device = device;
    return 0;
}

void model_set_training(struct model *model, bool training)
{
    drop_plans(model);
    model->mode.training = training;
}

static int prepare_layers(struct model *m, enum dtype precision)
{
    for (size_t i = 0; i < m->planned_count; i++)
        if (nn_scope_begin())
            return -1;
        else {
            int failed = m->planned[i].prepare(m->planned[i].layer, precision);
            nn_scope_end();
            if (failed)
                return -1;
        }
    return 0;
}

int model_prepare(struct model *model, int device, enum dtype precision, struct err *err)
{
    if (device != model->device && model_move(model, device, err))
        return -1;
    model_set_training(model, false);
    bool gradients = nn_set_gradients(false);
    int failed = prepare_layers(model, precision);
    nn_set_gradients(gradients);
    if (failed) {
        drop_plans(model);
        return nn_to_err(err, "prepare the model");
    }
    model->mode.planned = true;
    model->mode.precision = precision;
    return 0;
}

int model_freeze(struct model *model, int device, enum dtype precision, struct err *err)
{
    model->mode.frozen = true;
    return model_prepare(model, device, precision, err);
}

static int check_input(const struct model *m, const nn_tensor *x, struct err *err)
{
    int64_t height = nn_size(x, 2), width = nn_size(x, 3);
    if (nn_ndim(x) != 4 || nn_size(x, 0) < 1)
        return err_set(err, STATUS_BUG, "a network's input has 4 dimensions");
    if (nn_size(x, 1) != m->channels && nn_size(x, 1) != 1)
        return err_set(err, STATUS_DATA, "%lld channels, but the network takes %d",
                       (long long)nn_size(x, 1), m->channels);
    if (height < 1 || width < 1 || height % m->kind->multiple || width % m->kind->multiple)
        return err_set(err, STATUS_DATA, "%lld x %lld pixels, but '%s' needs multiples of %d",
                       (long long)width, (long long)height, m->architecture, m->kind->multiple);
    return 0;
}

/* Gray images for a network that takes more channels: repeated, or one of several. */
static nn_tensor *with_channels(const struct model *m, const nn_tensor *x)
{
    if (nn_size(x, 1) == m->channels)
        return (nn_tensor *)x;
    int64_t shape[] = {-1, m->channels, -1, -1};
    if (!m->kind->zero_channels)
        return nn_expand(x, 4, shape);
    shape[0] = nn_size(x, 0);
    shape[1] = m->channels - 1;
    shape[2] = nn_size(x, 2);
    shape[3] = nn_size(x, 3);
    return nn_cat2(x, nn_full(4, shape, 0, nn_dtype(x), nn_device(x)), 1);
}

int model_split(const struct model *model, struct model_output *out)
{
    out->logits = out->answer;
    out->flows = NULL;
    if (model->flows) {
        out->logits = nn_narrow(out->answer, 1, 0, model->classes);
        out->flows = nn_narrow(out->answer, 1, model->classes, MODEL_FLOWS);
    }
    if (out->count)
        out->all[out->count - 1] = out->logits;
    return out->logits && (out->flows || !model->flows) ? 0 : -1;
}

int model_forward(struct model *model, const nn_tensor *x, struct model_output *out,
                  struct err *err)
{
    if (check_input(model, x, err))
        return -1;
    bool gradients = model->mode.planned ? nn_set_gradients(false) : true;
    *out = (struct model_output){0};
    model->kind->forward(model->state, with_channels(model, x), out);
    if (model->mode.planned)
        nn_set_gradients(gradients);
    out->answer = out->count ? out->all[out->count - 1] : NULL;
    for (int i = 0; i < out->count; i++)
        if (!out->all[i] || (model->flows && i + 1 < out->count &&
                             !(out->all[i] = nn_narrow(out->all[i], 1, 0, model->classes))))
            out->answer = NULL;
    if (model->mode.planned)
        out->answer = nn_contiguous(nn_to_dtype(out->answer, DTYPE_F32));
    return model_split(model, out) ? nn_to_err(err, "run the model") : 0;
}
