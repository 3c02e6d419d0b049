/* Steps of training: what scaled losses, accumulated batches and averages must not change. */
#include "train/trainer.h"

#include <stdlib.h>

#include "tests/tap.h"
#include "train/schedule.h"

enum { B = 4, S = 32 };

static struct err err;
static float images[B * S * S];
static uint8_t labels[B * S * S];

static void make_batch(void)
{
    for (int i = 0; i < B * S * S; i++) {
        int x = i % S, y = i / S % S;
        labels[i] = (x - 16) * (x - 16) + (y - 12) * (y - 12) < 40 + 30 * (i / S / S);
        images[i] = 0.4f + 0.3f * labels[i] + 0.05f * (float)((i * 7919) % 13) / 13;
    }
}

static struct model *new_model(void)
{
    struct model *model = NULL;
    if (model_new(&model, "unet-s:width=8,levels=2", 2, 1, &err) ||
        model_initialize(model, 3, &err))
        printf("# %s\n", err.message);
    return model;
}

static struct trainer *new_trainer(struct model *model, struct trainer_options options)
{
    struct trainer *trainer = NULL;
    options.device = NN_CPU;
    options.precision = DTYPE_F32;
    if (trainer_new(&trainer, model, &options, &err))
        printf("# %s\n", err.message);
    return trainer;
}

static struct trainer_report steps(struct trainer *trainer, int count, int parts)
{
    struct trainer_report report = {0};
    for (int i = 0; i < count; i++) {
        for (int p = 0; p < parts; p++) {
            struct trainer_batch batch = {B, 1, S, S, images, labels, NULL, NULL, 0, NULL};
            if (trainer_accumulate(trainer, &batch, parts, &report, &err))
                printf("# %s\n", err.message);
        }
        if (trainer_step(trainer, 0.01, &report, &err))
            printf("# %s\n", err.message);
    }
    return report;
}

/* The largest difference between the trainable parameters of two models. */
static double difference(struct model *a, struct model *b)
{
    size_t count;
    struct model_parameter *p = model_parameters(a, &count), *q = model_parameters(b, &count);
    double worst = 0;
    if (nn_scope_begin())
        return NAN;
    for (size_t i = 0; i < count; i++) {
        double value = NAN;
        if (!p[i].trainable)
            continue;
        if (nn_item(nn_sum(nn_abs(nn_sub(p[i].tensor, q[i].tensor))), &value))
            printf("# %s\n", nn_error());
        worst = fmax(worst, value);
    }
    nn_scope_end();
    return worst;
}

static void check_same(const char *name, struct trainer_options one, struct trainer_options other,
                       int parts, double tolerance)
{
    struct model *a = new_model(), *b = new_model();
    struct trainer *t = new_trainer(a, one), *u = new_trainer(b, other);
    steps(t, 4, 1);
    steps(u, 4, parts);
    double apart = difference(a, b);
    ok(apart <= tolerance, "%s: %.2g apart", name, apart);
    trainer_free(t);
    trainer_free(u);
    model_free(a);
    model_free(b);
}

static void check_learns(enum trainer_optimizer optimizer)
{
    struct model *model = new_model();
    struct trainer_options options = {.optimizer = optimizer, .momentum = 0.9, .average = 0.9};
    struct trainer *trainer = new_trainer(model, options);
    double first = steps(trainer, 1, 1).loss, last = steps(trainer, 40, 1).loss;
    ok(last < 0.5 * first, "%s learns: %.3f to %.3f", optimizer ? "adamw" : "sgd", first, last);
    static uint8_t found[B * S * S];
    struct trainer_batch batch = {B, 1, S, S, images, labels, NULL, NULL, 0, NULL};
    int wrong = 0;
    ok(!trainer_swap_average(trainer, &err) && !trainer_predict(trainer, &batch, found, NULL, &err),
       "predicts with the average");
    for (int i = 0; i < B * S * S; i++)
        wrong += found[i] != labels[i];
    ok(wrong < B * S * S / 20, "and is right: %d of %d wrong", wrong, B * S * S);
    trainer_free(trainer);
    model_free(model);
}

/* Half the square of the distance, in the place of a topological measure. */
static int measure(const float *student, const float *teacher, size_t height, size_t width,
                   double *loss, float *gradient, void *data, struct err *e)
{
    (void)data;
    (void)e;
    *loss = 0;
    for (size_t i = 0; i < height * width; i++) {
        gradient[i] = student[i] - teacher[i];
        *loss += 0.5 * (double)gradient[i] * (double)gradient[i];
    }
    return 0;
}

/* Steps on a batch whose second half has these labels, or has none. */
static struct model *half_labeled(uint8_t label, int64_t unlabeled, double *loss)
{
    static uint8_t some[B * S * S];
    struct model *model = new_model();
    struct trainer *trainer = new_trainer(
        model, (struct trainer_options){
                   .momentum = 0.9,
                   .average = 0.9,
                   .consistency = {.topology = 0.1, .pixels = 0.1, .measure = measure}});
    struct trainer_batch batch = {B, 1, S, S, images, some, NULL, NULL, unlabeled, NULL};
    struct trainer_report report = {0};
    memcpy(some, labels, sizeof some / 2);
    memset(some + sizeof some / 2, label, sizeof some / 2);
    for (int i = 0; i < 4; i++)
        if (trainer_accumulate(trainer, &batch, 1, &report, &err) ||
            trainer_step(trainer, 0.01, &report, &err))
            printf("# %s\n", err.message);
    *loss = report.loss;
    trainer_free(trainer);
    return model;
}

static void check_unlabeled(void)
{
    double a, b, c, d;
    struct model *zeros = half_labeled(0, B / 2, &a), *ones = half_labeled(1, B / 2, &b);
    struct model *all_zeros = half_labeled(0, 0, &c), *all_ones = half_labeled(1, 0, &d);
    ok(a == b && difference(zeros, ones) == 0, "without labels none are learned");
    ok(c != d && difference(all_zeros, all_ones) > 0, "with labels they are");
    float kept = images[B * S * S - 5];
    images[B * S * S - 5] += 0.5f;
    struct model *other = half_labeled(0, B / 2, &b);
    ok(difference(zeros, other) > 0, "images without labels teach, too");
    images[B * S * S - 5] = kept;
    struct model *all[] = {zeros, ones, all_zeros, all_ones, other};
    for (int i = 0; i < 5; i++)
        model_free(all[i]);
}

/* An overflowing gradient moves nothing and halves the scale; then it goes on. */
static void check_overflow(void)
{
    struct model *a = new_model(), *b = new_model();
    struct trainer_options options = {.optimizer = TRAINER_ADAMW, .scale_loss = true};
    struct trainer *trainer = new_trainer(a, options);
    struct trainer_report report = {0};
    float before = images[5];
    struct trainer_batch batch = {B, 1, S, S, images, labels, NULL, NULL, 0, NULL};
    if (trainer_accumulate(trainer, &batch, 1, &report, &err))
        printf("# %s\n", err.message);
    if (nn_scope_begin())
        return;
    size_t count;
    nn_tensor *gradient = nn_gradient(model_parameters(a, &count)[0].tensor);
    bool on = nn_set_gradients(false);
    if (nn_scale_(gradient, INFINITY))
        printf("# %s\n", nn_error());
    nn_set_gradients(on);
    nn_scope_end();
    ok(!trainer_step(trainer, 0.01, &report, &err) && report.skipped, "an overflow is left out");
    is_near(difference(a, b), 0, 0, "and moves nothing");
    report = steps(trainer, 1, 1);
    ok(!report.skipped && difference(a, b) > 0, "the next step moves");
    images[5] = before;
    trainer_free(trainer);
    model_free(a);
    model_free(b);
}

static void check_schedules(void)
{
    struct schedule poly = {.kind = SCHEDULE_POLY, .start = 0.01, .power = 0.9};
    is_near(schedule_rate(&poly, 0), 0.01, 1e-15, "poly begins");
    is_near(schedule_rate(&poly, 0.25), 0.01 * pow(0.75, 0.9), 1e-15, "poly");
    is_near(schedule_rate(&poly, 1), 0, 0, "poly ends");
    struct schedule exponential = {.kind = SCHEDULE_EXP, .start = 1, .ratio = 0.01};
    is_near(schedule_rate(&exponential, 0.5), 0.1, 1e-15, "exponential");
    struct schedule cosine = {.kind = SCHEDULE_COSINE, .start = 2, .warmup = 0.1};
    is_near(schedule_rate(&cosine, 0.5), 1, 1e-12, "cosine");
    ok(schedule_rate(&cosine, 0.05) < 1.01 && schedule_rate(&cosine, 0) == 0, "warm-up");
}

int main(void)
{
    tap_plan(21);
    if (nn_set_threads(1))
        printf("# %s\n", nn_error());
    make_batch();
    check_unlabeled();
    check_schedules();
    struct trainer_options plain = {.optimizer = TRAINER_SGD, .momentum = 0.9}, scaled = plain;
    struct trainer_options unlimited = plain;
    scaled.scale_loss = true;
    unlimited.clip = 1e9;
    check_same("a scaled loss", plain, scaled, 1, 1e-6);
    check_same("a limit that is not reached", plain, unlimited, 1, 1e-6);
    check_same("the same batch three times", plain, plain, 3, 1e-3);
    check_learns(TRAINER_SGD);
    check_learns(TRAINER_ADAMW);
    check_overflow();
    return tap_done();
}
