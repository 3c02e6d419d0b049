/* What each architecture costs: a row of the table in architectures(7), with the
 * operations checked against the number that its published implementation takes
 * (within 5 %: those numbers leave out the attention's products).
 *
 * costs [--time|--memory] [ARCH...]: --time measures, too, the milliseconds of one core
 * for a tile (prepared, batch of 4, the least of 3), --memory what a process needs for
 * a training step of 4 tiles. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/model.h"
#include "tests/clock.h"
#include "tests/tap.h"

#define SIDE  224
#define TIMED 3
#define BATCH 4

static const struct cost {
    const char *architecture;
    int classes, channels;
    double parameters, gflop; /* millions of trained ones, operations of a tile; 0: not checked */
} costs[] = {
    {"unet-s", 2, 1, 0, 0},
    {"transunet-r50-b16:skips=0", 2, 3, 0, 52},
    {"transunet-r50-b16", 2, 3, 105.28, 57},
    {"transunet-r50-l32:skips=0", 2, 3, 0, 177},
    {"transunet-vit-b16", 2, 3, 0, 44},
    {"transunet-vit-l16", 2, 3, 0, 130},
    {"toposeg-r50-b16", 2, 3, 0, 57},
    {"toposeg-vit-b16", 2, 3, 0, 44},
    {"unetpp", 2, 3, 9.163, 53},
    {"unetpp:ds=1", 2, 3, 9.164, 53},
    {"swinunet", 2, 3, 27.168, 12},
    {"scaleformer", 2, 3, 113.813, 96},
    {"cellpose", 3, 2, 6.601, 31},
};

static struct err err;

static nn_tensor *tiles(int64_t batch, int channels)
{
    int64_t shape[] = {batch, channels, SIDE, SIDE};
    return nn_rand(4, shape, NN_CPU);
}

static double millions(const struct model *model)
{
    size_t count;
    double sum = 0;
    struct model_parameter *p = model_parameters(model, &count);
    for (size_t i = 0; i < count; i++)
        sum += p[i].trainable ? (double)nn_count(p[i].tensor) : 0;
    return sum / 1e6;
}

static double gflop(struct model *model, int channels)
{
    struct model_output out;
    bool gradients = nn_set_gradients(false);
    bool failed = nn_scope_begin() || nn_count_begin() ||
                  model_forward(model, tiles(1, channels), &out, &err);
    double operations = (double)nn_count_end() / 1e9;
    nn_scope_end();
    nn_set_gradients(gradients);
    return failed ? NAN : operations;
}

static double milliseconds(struct model *model, int channels, enum dtype precision)
{
    double least = INFINITY;
    struct model_output out;
    if (nn_set_threads(1) || model_prepare(model, NN_CPU, precision, &err) || nn_scope_begin())
        return NAN;
    nn_tensor *x = tiles(BATCH, channels);
    for (int i = 0; i < TIMED; i++) {
        double begun = work_milliseconds();
        if (nn_scope_begin() || model_forward(model, x, &out, &err))
            return NAN;
        least = fmin(least, (work_milliseconds() - begun) / BATCH);
        nn_scope_end();
    }
    nn_scope_end();
    return least;
}

/* Peak memory in GB of a process that takes one step of SGD. */
static double training_memory(const struct cost *cost)
{
    struct rusage usage;
    pid_t child = fork();
    if (child == 0) {
        struct model *model;
        struct model_output out;
        if (model_new(&model, cost->architecture, cost->classes, cost->channels, &err) ||
            nn_scope_begin())
            _exit(1);
        model_set_training(model, true);
        size_t count;
        struct model_parameter *p = model_parameters(model, &count);
        nn_tensor **trained = calloc(count, sizeof *trained);
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
            if (p[i].trainable)
                trained[n++] = p[i].tensor;
        struct nn_optimizer *sgd = nn_sgd(trained, n, 0.9, 1e-4);
        _exit(model_forward(model, tiles(BATCH, cost->channels), &out, &err) ||
              nn_backward(nn_mean(nn_square(out.logits))) || nn_optimizer_step(sgd, 0.01));
    }
    int status;
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
        return NAN;
    return (double)usage.ru_maxrss * 1024 / 1e9;
}

enum extra { NOTHING, TIME, MEMORY };

/* In processes of their own, before this one has threads. */
static void check_memory(const struct cost *cost)
{
    double memory = training_memory(cost);
    ok(memory > 0, "%-26s %.1f GB", cost->architecture, memory);
    fflush(stdout);
}

static void check_cost(const struct cost *cost, enum extra extra)
{
    struct model *model;
    if (model_new(&model, cost->architecture, cost->classes, cost->channels, &err) ||
        model_initialize(model, 1, &err)) {
        ok(false, "%s: %s", cost->architecture, err.message);
        return;
    }
    double parameters = millions(model), operations = gflop(model, cost->channels);
    ok((!cost->parameters || fabs(parameters - cost->parameters) < 0.001 * cost->parameters) &&
           (!cost->gflop || fabs(operations - cost->gflop) < 0.05 * cost->gflop),
       "%-26s %8.2f M parameters %7.1f GFLOP", cost->architecture, parameters, operations);
    if (extra == TIME)
        printf("# %-26s %.0f ms, %.0f ms with bfloat16\n", cost->architecture,
               milliseconds(model, cost->channels, DTYPE_F32),
               milliseconds(model, cost->channels, DTYPE_BF16));
    fflush(stdout);
    model_free(model);
}

int main(int argc, char **argv)
{
    tap_plan(13);
    enum extra extra = argc > 1 && strcmp(argv[1], "--time") == 0     ? TIME
                       : argc > 1 && strcmp(argv[1], "--memory") == 0 ? MEMORY
                                                                      : NOTHING;
    int first = extra ? 2 : 1;
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        bool chosen = argc <= first;
        for (int k = first; k < argc; k++)
            chosen = chosen || strcmp(argv[k], costs[i].architecture) == 0;
        if (chosen && extra == MEMORY)
            check_memory(&costs[i]);
        else if (chosen)
            check_cost(&costs[i], extra);
    }
    return tap_done();
}
