#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trainer {
    struct model *model;
    struct trainer_options options;
    struct nn_optimizer *optimizer;
    nn_tensor **parameters; /* the trainable ones, borrowed */
    bool *decayed;
    size_t count;
    nn_tensor **average; /* of all of the model's parameters, buffers too; or NULL */
    struct model_parameter *all;
    size_t all_count;
    struct vos *vos; /* or NULL */
    bool use_outliers;
    int part;           /* batches added since the last step */
    double scale;       /* of the loss */
    int64_t good_steps; /* since the scale last changed */
};

/* ---- making ---- */

static int list_parameters(struct trainer *t, struct err *err)
{
    t->all = model_parameters(t->model, &t->all_count);
    t->parameters = calloc(t->all_count + 1, sizeof *t->parameters);
    t->decayed = calloc(t->all_count + 1, sizeof *t->decayed);
    if (!t->parameters || !t->decayed)
        return err_memory(err, "a list of parameters");
    for (size_t i = 0; i < t->all_count; i++)
        if (t->all[i].trainable) {
            t->decayed[t->count] = nn_ndim(t->all[i].tensor) > 1; /* not biases and norms */
            t->parameters[t->count++] = t->all[i].tensor;
        }
    return 0;
}

static int start_average(struct trainer *t, struct err *err)
{
    t->average = calloc(t->all_count, sizeof *t->average);
    if (!t->average)
        return err_memory(err, "the average of parameters");
    if (nn_scope_begin())
        return nn_to_err(err, "average");
    bool gradients = nn_set_gradients(false);
    int failed = 0;
    for (size_t i = 0; i < t->all_count && !failed; i++)
        failed = !(t->average[i] = nn_keep(nn_clone(nn_detach(t->all[i].tensor))));
    nn_set_gradients(gradients);
    nn_scope_end();
    return failed ? nn_to_err(err, "average") : 0;
}

int trainer_new(struct trainer **trainer, struct model *model,
                const struct trainer_options *options, struct err *err)
{
    struct trainer *t = calloc(1, sizeof *t);
    if (!t)
        return err_memory(err, "a trainer");
    t->model = model;
    t->options = *options;
    t->scale = options->scale_loss ? 65536 : 1;
    if (model_move(model, options->device, err)) {
        free(t);
        return -1;
    }
    if (list_parameters(t, err) || (options->average > 0 && start_average(t, err)) ||
        (options->outliers && vos_new(&t->vos, &options->vos, model_classes(model), err))) {
        trainer_free(t);
        return -1;
    }
    t->optimizer = options->optimizer == TRAINER_SGD
                       ? nn_sgd(t->parameters, t->count, options->momentum, options->weight_decay)
                       : nn_adamw(t->parameters, t->count, 0.9, 0.999, 1e-8, options->weight_decay,
                                  t->decayed);
    if (!t->optimizer) {
        trainer_free(t);
        return nn_to_err(err, "optimizer");
    }
    model_set_training(model, true);
    nn_set_batch_group(options->group);
    *trainer = t;
    return 0;
}

void trainer_free(struct trainer *trainer)
{
    if (!trainer)
        return;
    nn_set_batch_group(NULL);
    if (trainer->optimizer)
        nn_optimizer_free(trainer->optimizer);
    for (size_t i = 0; trainer->average && i < trainer->all_count; i++)
        nn_free(trainer->average[i]);
    vos_free(trainer->vos);
    free(trainer->average);
    free(trainer->parameters);
    free(trainer->decayed);
    free(trainer);
}

/* ---- a step ---- */

static nn_tensor *images_of(const struct trainer *t, const struct trainer_batch *b)
{
    const int64_t shape[] = {b->size, b->channels, b->height, b->width};
    nn_tensor *x = nn_from_host(b->images, DTYPE_F32, 4, shape);
    return nn_channels_last(nn_to_device(x, t->options.device));
}

static nn_tensor *labels_of(const struct trainer *t, const struct trainer_batch *b)
{
    const int64_t shape[] = {b->size, b->height, b->width};
    nn_tensor *x = nn_from_host(b->labels, DTYPE_U8, 3, shape);
    return nn_to_dtype(nn_to_device(x, t->options.device), DTYPE_I64);
}

/* Another in the place of the whole answer. */
static int change_answer(const struct trainer *t, struct model_output *out, nn_tensor *answer,
                         struct err *err)
{
    out->answer = answer;
    return model_split(t->model, out) ? nn_to_err(err, "split an answer") : 0;
}

/* Forward in the precision of the run; the answer comes back as float32. */
static int forward(struct trainer *t, const nn_tensor *x, struct model_output *out, struct err *err)
{
    enum dtype before = nn_set_autocast(t->options.device, t->options.precision);
    int failed = model_forward(t->model, x, out, err);
    nn_set_autocast(t->options.device, before);
    for (int i = 0; i < out->count && !failed; i++)
        out->all[i] = nn_to_dtype(out->all[i], DTYPE_F32);
    return failed ? -1 : change_answer(t, out, nn_to_dtype(out->answer, DTYPE_F32), err);
}

/* A generator of this step's own, so that a continued run needs no other state. */
static struct rng step_rng(const struct trainer *t, const char *what)
{
    char name[80];
    snprintf(name, sizeof name, "%s of step %lld part %d", what,
             (long long)nn_optimizer_steps(t->optimizer), t->part);
    return rng_new(t->options.seed, name);
}

/* What a batch teaches, on the device. */
struct lesson {
    nn_tensor *target;
    nn_tensor *flows, *taught; /* NULL for networks without flows */
};

/* The objective of the answer; with deep supervision, its mean with those of the
 * other outputs, which have neither outliers nor flows. */
static int objective(struct trainer *t, const struct model_output *out, const nn_tensor *synthetic,
                     const struct lesson *lesson, struct loss_result *result, struct err *err)
{
    nn_tensor *total = NULL;
    struct loss_input input = {.target = lesson->target};
    for (int i = 0; i + 1 < out->count; i++) {
        input.logits = out->all[i];
        if (loss_objective_of(&t->options.loss, &input, result, err))
            return -1;
        total = total ? nn_add(total, result->total) : result->total;
    }
    input = (struct loss_input){.logits = out->logits,
                                .target = lesson->target,
                                .synthetic = synthetic,
                                .flows = out->flows,
                                .flow_target = lesson->flows,
                                .taught = lesson->taught,
                                .answer = out->answer};
    if (loss_objective_of(&t->options.loss, &input, result, err))
        return -1;
    if (total)
        result->total = nn_affine(nn_add(total, result->total), 1.0 / out->count, 0);
    return 0;
}

/* Cellpose's: that of the flows, and the cross entropy of the cell logit. */
static int flow_objective(const struct model_output *out, const struct lesson *lesson,
                          struct loss_result *result, struct err *err)
{
    nn_tensor *cell = nn_to_dtype(nn_compare(lesson->target, NN_GT, 0), DTYPE_F32);
    nn_tensor *ce = nn_bce_with_logits(nn_select(out->logits, 1, 2), cell);
    nn_tensor *flow = loss_flow(nn_narrow(out->logits, 1, 0, 2), lesson->flows, lesson->taught);
    *result = (struct loss_result){.total = nn_add(ce, flow)};
    result->weight[LOSS_CE] = result->weight[LOSS_FLOW] = 1;
    if (!result->total || nn_item(ce, &result->value[LOSS_CE]) ||
        nn_item(flow, &result->value[LOSS_FLOW]))
        return nn_to_err(err, "loss of flows");
    return 0;
}

/* The running average's logits, without gradient. */
static nn_tensor *teacher_logits(struct trainer *t, const nn_tensor *x, struct err *err)
{
    struct model_output out = {0};
    struct err ignored;
    if (trainer_swap_average(t, err))
        return NULL;
    bool gradients = nn_set_gradients(false);
    model_set_training(t->model, false);
    int failed = forward(t, x, &out, err);
    model_set_training(t->model, true);
    nn_set_gradients(gradients);
    if (trainer_swap_average(t, failed ? &ignored : err) || failed)
        return NULL;
    return out.logits;
}

static int add_consistency(struct trainer *t, const nn_tensor *student, const nn_tensor *teacher,
                           struct loss_result *loss, struct err *err)
{
    struct toposeg_result result;
    double steps = (double)nn_optimizer_steps(t->optimizer);
    double ramp = t->options.ramp > 0 ? toposeg_ramp(steps / (double)t->options.ramp) : 1;
    if (toposeg_loss(student, teacher, &t->options.consistency, &result, err))
        return -1;
    loss->total = nn_add(loss->total, nn_affine(result.total, ramp, 0));
    return loss->total ? 0 : nn_to_err(err, "consistency");
}

static int gather_one(struct nn_group *group, nn_tensor **x, struct err *err)
{
    if (*x && !(*x = nn_group_gather(group, *x)))
        return nn_to_err(err, "gather a batch");
    return 0;
}

/* Answers and lessons of all ranks in the place of this one's. */
static int gather(struct trainer *t, struct model_output *out, nn_tensor **student,
                  nn_tensor **teacher, struct lesson *lesson, uint8_t **labels, struct err *err)
{
    struct nn_group *group = t->options.group;
    if (*teacher && gather_one(group, student, err))
        return -1;
    for (int i = 0; i + 1 < out->count; i++)
        if (gather_one(group, &out->all[i], err))
            return -1;
    if (gather_one(group, &out->answer, err) || change_answer(t, out, out->answer, err) ||
        gather_one(group, &lesson->target, err) || gather_one(group, teacher, err) ||
        gather_one(group, &lesson->flows, err) || gather_one(group, &lesson->taught, err))
        return -1;
    size_t n = (size_t)nn_count(lesson->target);
    *labels = malloc(n);
    if (!*labels)
        return err_memory(err, "labels of all ranks");
    return nn_to_host(lesson->target, *labels, DTYPE_U8, n) ? nn_to_err(err, "gather labels") : 0;
}

static int keep_first(nn_tensor **x, int64_t count, struct err *err)
{
    if (*x && !(*x = nn_narrow(*x, 0, 0, count)))
        return nn_to_err(err, "images with labels");
    return 0;
}

/* The images with labels in the place of all. */
static int keep_labeled(const struct trainer *t, struct model_output *out, struct lesson *lesson,
                        int64_t count, struct err *err)
{
    for (int i = 0; i + 1 < out->count; i++)
        if (keep_first(&out->all[i], count, err))
            return -1;
    return keep_first(&out->answer, count, err) || change_answer(t, out, out->answer, err) ||
                   keep_first(&lesson->target, count, err) ||
                   keep_first(&lesson->flows, count, err) || keep_first(&lesson->taught, count, err)
               ? -1
               : 0;
}

/* The first images are this rank's when logits of all ranks were gathered. */
static int copy_outliers(const nn_tensor *synthetic, const struct trainer_batch *batch,
                         struct err *err)
{
    nn_tensor *own = nn_narrow(nn_detach(synthetic), 0, 0, batch->size - batch->unlabeled);
    nn_tensor *p = nn_softmax(own, 1);
    size_t bytes = sizeof(float);
    for (int i = 0; p && i < 4; i++)
        bytes *= (size_t)nn_size(p, i);
    return nn_to_host(p, batch->outliers, DTYPE_F32, bytes) ? nn_to_err(err, "outliers") : 0;
}

static int answer_for(struct trainer *t, struct model_output *out, const nn_tensor *student,
                      const nn_tensor *teacher, const uint8_t *labels, const struct lesson *lesson,
                      const struct trainer_batch *batch, struct loss_result *terms, struct err *err)
{
    struct rng outliers = step_rng(t, "outliers");
    nn_tensor *synthetic = NULL;
    if (t->vos &&
        vos_step(t->vos, out->logits, labels, &outliers, t->use_outliers ? &synthetic : NULL, err))
        return -1;
    if (synthetic && batch->outliers && copy_outliers(synthetic, batch, err))
        return -1;
    if (objective(t, out, synthetic, lesson, terms, err))
        return -1;
    return teacher ? add_consistency(t, student, teacher, terms, err) : 0;
}

static int lesson_of(const struct trainer *t, const struct trainer_batch *b, struct lesson *lesson,
                     struct err *err)
{
    const int64_t flows[] = {b->size, 2, b->height, b->width}, taught[] = {b->size, 1, 1, 1};
    *lesson = (struct lesson){.target = labels_of(t, b)};
    if (!lesson->target)
        return nn_to_err(err, "a batch");
    if (!model_has_flows(t->model) && model_has_softmax(t->model))
        return 0;
    if (!b->flows || !b->taught)
        return err_set(err, STATUS_BUG, "a batch without flows");
    lesson->flows = nn_to_device(nn_from_host(b->flows, DTYPE_F32, 4, flows), t->options.device);
    lesson->taught = nn_to_device(nn_from_host(b->taught, DTYPE_F32, 4, taught), t->options.device);
    return lesson->flows && lesson->taught ? 0 : nn_to_err(err, "a batch");
}

/* The objective of a batch, with its graph. */
static int judge(struct trainer *t, const nn_tensor *x, struct lesson *lesson,
                 const struct trainer_batch *batch, struct loss_result *terms, struct err *err)
{
    struct model_output out = {0};
    nn_tensor *teacher = NULL;
    uint8_t *gathered = NULL;
    if (t->options.consistency.measure && !(teacher = teacher_logits(t, x, err)))
        return -1;
    if (forward(t, x, &out, err))
        return -1;
    nn_tensor *student = out.logits;
    if (batch->unlabeled > 0 && keep_labeled(t, &out, lesson, batch->size - batch->unlabeled, err))
        return -1;
    if (!model_has_softmax(t->model))
        return flow_objective(&out, lesson, terms, err);
    int failed = 0;
    if (t->options.group)
        failed = gather(t, &out, &student, &teacher, lesson, &gathered, err);
    if (!failed)
        failed = answer_for(t, &out, student, teacher, gathered ? gathered : batch->labels, lesson,
                            batch, terms, err);
    free(gathered);
    return failed;
}

static int backward(struct trainer *t, const struct trainer_batch *batch, int parts,
                    struct trainer_report *report, struct err *err)
{
    struct lesson lesson;
    struct rng dropout = step_rng(t, "dropout");
    nn_tensor *x = images_of(t, batch);
    if (!x || nn_seed(rng_u64(&dropout) + (uint64_t)t->options.rank))
        return nn_to_err(err, "a batch");
    if (lesson_of(t, batch, &lesson, err) || judge(t, x, &lesson, batch, &report->terms, err))
        return -1;
    if (nn_item(report->terms.total, &report->loss))
        return nn_to_err(err, "loss");
    if (!isfinite(report->loss))
        return err_set(err, STATUS_DATA, "the loss is not a number");
    if (nn_backward(nn_affine(report->terms.total, t->scale / parts, 0)))
        return nn_to_err(err, "gradients");
    t->part++;
    return 0;
}

int trainer_accumulate(struct trainer *trainer, const struct trainer_batch *batch, int parts,
                       struct trainer_report *report, struct err *err)
{
    if (nn_scope_begin())
        return nn_to_err(err, "a batch");
    int result = backward(trainer, batch, parts, report, err);
    report->terms.total = NULL;
    nn_scope_end();
    return result;
}

static int move_average(struct trainer *t)
{
    double steps = (double)nn_optimizer_steps(t->optimizer);
    double decay = fmin(t->options.average, (1 + steps) / (10 + steps));
    bool gradients = nn_set_gradients(false);
    int failed = 0;
    for (size_t i = 0; i < t->all_count && !failed; i++)
        if (nn_dtype(t->average[i]) != DTYPE_F32)
            failed = nn_copy_(t->average[i], t->all[i].tensor);
        else
            failed = nn_scale_(t->average[i], decay) ||
                     nn_add_(t->average[i], t->all[i].tensor, 1 - decay);
    nn_set_gradients(gradients);
    return failed;
}

/* Takes the loss's scale out of the gradients and limits their norm; *finite says
 * whether they are numbers. */
static int condition_gradients(struct trainer *t, double *norm, bool *finite)
{
    double limit = t->options.clip > 0 ? t->options.clip : INFINITY;
    *finite = true;
    *norm = 0;
    for (size_t i = 0; i < t->count && t->scale != 1; i++) {
        nn_tensor *gradient = nn_gradient(t->parameters[i]);
        if (gradient && nn_scale_(gradient, 1 / t->scale))
            return -1;
    }
    if (t->options.clip <= 0 && !t->options.scale_loss)
        return 0;
    if (nn_clip_gradients(t->parameters, t->count, limit, norm))
        return -1;
    *finite = isfinite(*norm);
    return 0;
}

static void adapt_scale(struct trainer *t, bool finite)
{
    if (!t->options.scale_loss)
        return;
    t->good_steps = finite ? t->good_steps + 1 : 0;
    if (!finite) {
        t->scale /= 2;
    } else if (t->good_steps == TRAINER_SCALE_STEPS) {
        t->scale = fmin(2 * t->scale, 0x1p24);
        t->good_steps = 0;
    }
}

/* The mean over ranks of every gradient. */
static int average_gradients(struct trainer *t, struct err *err)
{
    nn_tensor **gradients = calloc(t->count + 1, sizeof *gradients);
    size_t n = 0;
    if (!gradients)
        return err_memory(err, "a list of gradients");
    for (size_t i = 0; i < t->count; i++)
        if ((gradients[n] = nn_gradient(t->parameters[i])))
            n++;
    int failed = nn_group_all_reduce(t->options.group, gradients, n, NN_MEAN);
    free(gradients);
    return failed ? nn_to_err(err, "average the gradients") : 0;
}

static int move_parameters(struct trainer *t, double learning_rate, struct trainer_report *report,
                           struct err *err)
{
    bool finite;
    if (t->options.group && average_gradients(t, err))
        return -1;
    if (condition_gradients(t, &report->gradient_norm, &finite))
        return nn_to_err(err, "gradients");
    adapt_scale(t, finite);
    report->skipped = !finite;
    if (!finite && (!t->options.scale_loss || t->scale < 1))
        return err_set(err, STATUS_DATA, "the gradient is not a number");
    if ((finite && nn_optimizer_step(t->optimizer, learning_rate)) ||
        nn_zero_gradients(t->parameters, t->count) || (finite && t->average && move_average(t)))
        return nn_to_err(err, "a step");
    if (!finite) /* it counts: another step draws other numbers */
        nn_optimizer_set_steps(t->optimizer, nn_optimizer_steps(t->optimizer) + 1);
    return 0;
}

int trainer_step(struct trainer *trainer, double learning_rate, struct trainer_report *report,
                 struct err *err)
{
    trainer->part = 0;
    if (nn_scope_begin())
        return nn_to_err(err, "a step");
    bool gradients = nn_set_gradients(false);
    int result = move_parameters(trainer, learning_rate, report, err);
    nn_set_gradients(gradients);
    nn_scope_end();
    return result;
}

/* ---- evaluation ---- */

/* For a network of flows: 1 where it sees a cell. */
static nn_tensor *classes_of(const struct model *model, const nn_tensor *logits)
{
    if (model_has_softmax(model))
        return nn_argmax(logits, 1);
    return nn_to_dtype(nn_compare(nn_select(logits, 1, 2), NN_GT, 0), DTYPE_I64);
}

/* Classes, and flows where they are asked for, without what was padded. */
static int give_answer(const struct trainer *t, const struct trainer_batch *batch, int64_t right,
                       int64_t bottom, const struct model_output *out, uint8_t *classes,
                       float *flows, struct err *err)
{
    size_t pixels = (size_t)(batch->size * batch->height * batch->width);
    nn_tensor *best = nn_pad2d(classes_of(t->model, out->logits), 0, -right, 0, -bottom, 0);
    if (nn_to_host(best, classes, DTYPE_U8, pixels))
        return nn_to_err(err, "evaluation");
    if (flows && nn_to_host(nn_pad2d(out->flows, 0, -right, 0, -bottom, 0), flows, DTYPE_F32,
                            pixels * MODEL_FLOWS * sizeof *flows))
        return nn_to_err(err, "evaluation");
    return 0;
}

int trainer_predict(struct trainer *trainer, const struct trainer_batch *batch, uint8_t *classes,
                    float *flows, struct err *err)
{
    struct model_output out = {0};
    int64_t multiple = model_multiple(trainer->model);
    int64_t bottom = (multiple - batch->height % multiple) % multiple;
    int64_t right = (multiple - batch->width % multiple) % multiple;
    if (nn_scope_begin())
        return nn_to_err(err, "evaluation");
    bool gradients = nn_set_gradients(false);
    model_set_training(trainer->model, false);
    nn_tensor *x = nn_pad2d(images_of(trainer, batch), 0, right, 0, bottom, 0);
    int result = x ? forward(trainer, x, &out, err) : nn_to_err(err, "evaluation");
    if (result == 0)
        result = give_answer(trainer, batch, right, bottom, &out, classes, flows, err);
    model_set_training(trainer->model, true);
    nn_set_gradients(gradients);
    nn_scope_end();
    return result;
}

int trainer_swap_average(struct trainer *trainer, struct err *err)
{
    struct trainer *t = trainer;
    if (!t->average)
        return 0;
    if (nn_scope_begin())
        return nn_to_err(err, "average");
    bool gradients = nn_set_gradients(false);
    int failed = 0;
    for (size_t i = 0; i < t->all_count && !failed; i++) {
        nn_tensor *copy = nn_clone(t->all[i].tensor);
        failed =
            !copy || nn_copy_(t->all[i].tensor, t->average[i]) || nn_copy_(t->average[i], copy);
    }
    nn_set_gradients(gradients);
    nn_scope_end();
    return failed ? nn_to_err(err, "average") : 0;
}

void trainer_use_outliers(struct trainer *trainer, bool on)
{
    trainer->use_outliers = on && trainer->vos;
}

int trainer_gaussians(const struct trainer *trainer, struct gaussians *g, struct err *err)
{
    if (!trainer->vos)
        return err_set(err, STATUS_BUG, "no queues of logits");
    return vos_gaussians(trainer->vos, g, err);
}

int64_t trainer_steps(const struct trainer *trainer)
{
    return nn_optimizer_steps(trainer->optimizer);
}

/* ---- state ---- */

static int export_tensor(const char *prefix, const char *name, const nn_tensor *tensor,
                         struct weights *weights, struct err *err)
{
    char full[600];
    snprintf(full, sizeof full, "%s.%s", prefix, name);
    size_t shape[ARRAY_MAX_DIMS];
    struct array array;
    for (int i = 0; i < nn_ndim(tensor); i++)
        shape[i] = (size_t)nn_size(tensor, i);
    if (array_new(&array, nn_dtype(tensor), nn_ndim(tensor), shape, err))
        return -1;
    int result = nn_to_host(tensor, array.data, array.dtype, array_bytes(&array))
                     ? nn_to_err(err, full)
                     : weights_add(weights, full, &array, err);
    array_free(&array);
    return result;
}

static int import_tensor(const char *prefix, const char *name, nn_tensor *tensor,
                         const struct weights *weights, struct err *err)
{
    char full[600];
    int64_t shape[ARRAY_MAX_DIMS];
    snprintf(full, sizeof full, "%s.%s", prefix, name);
    const struct array *array = weights_find(weights, full);
    if (!array || array->ndim != nn_ndim(tensor))
        return err_set(err, STATUS_DATA, "no '%s' of the right shape", full);
    for (int i = 0; i < array->ndim; i++) {
        shape[i] = (int64_t)array->shape[i];
        if (shape[i] != nn_size(tensor, i))
            return err_set(err, STATUS_DATA, "no '%s' of the right shape", full);
    }
    if (nn_scope_begin())
        return nn_to_err(err, full);
    bool gradients = nn_set_gradients(false);
    nn_tensor *from = nn_from_host(array->data, array->dtype, array->ndim, shape);
    int failed = !from || nn_copy_(tensor, from);
    nn_set_gradients(gradients);
    nn_scope_end();
    return failed ? nn_to_err(err, full) : 0;
}

/* Calls for every tensor of the state with the name it has in a checkpoint. */
static int each_tensor(const struct trainer *t, struct weights *to, const struct weights *from,
                       struct err *err)
{
    int slots = nn_optimizer_slots(t->optimizer);
    for (size_t i = 0, k = 0; i < t->all_count; i++) {
        const char *name = t->all[i].name;
        if (t->average && (to ? export_tensor("average", name, t->average[i], to, err)
                              : import_tensor("average", name, t->average[i], from, err)))
            return -1;
        for (int s = 0; s < slots && t->all[i].trainable; s++) {
            const char *slot = nn_optimizer_slot_name(t->optimizer, s);
            nn_tensor *tensor = nn_optimizer_slot(t->optimizer, s, k);
            if (to ? export_tensor(slot, name, tensor, to, err)
                   : import_tensor(slot, name, tensor, from, err))
                return -1;
        }
        k += t->all[i].trainable;
    }
    return 0;
}

int trainer_export(const struct trainer *trainer, struct weights *weights, struct err *err)
{
    char steps[32], scale[40], good[32];
    snprintf(steps, sizeof steps, "%lld", (long long)nn_optimizer_steps(trainer->optimizer));
    snprintf(scale, sizeof scale, "%.17g", trainer->scale);
    snprintf(good, sizeof good, "%lld", (long long)trainer->good_steps);
    return each_tensor(trainer, weights, NULL, err) ||
                   (trainer->vos && vos_export(trainer->vos, weights, err)) ||
                   weights_set_metadata(weights, "steps", steps, err) ||
                   weights_set_metadata(weights, "loss_scale", scale, err) ||
                   weights_set_metadata(weights, "good_steps", good, err)
               ? -1
               : 0;
}

int trainer_import(struct trainer *trainer, const struct weights *weights, struct err *err)
{
    const char *steps = weights_metadata(weights, "steps");
    const char *scale = weights_metadata(weights, "loss_scale");
    const char *good = weights_metadata(weights, "good_steps");
    if (!steps || !scale || !good)
        return err_set(err, STATUS_DATA, "no 'steps': not a checkpoint");
    trainer->scale = strtod(scale, NULL);
    trainer->good_steps = strtoll(good, NULL, 10);
    nn_optimizer_set_steps(trainer->optimizer, strtoll(steps, NULL, 10));
    if (trainer->vos && vos_import(trainer->vos, weights, err))
        return -1;
    return each_tensor(trainer, NULL, weights, err);
}
