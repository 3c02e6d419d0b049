/* Networks with random weights, for the shell tests and benchmarks:
 *     network ARCH CLASSES CHANNELS SEED FILE   writes such weights
 *     network serve ARCH BATCH fp32|bf16 SIDE   for each line of standard input runs a
 *                                               prepared network once over a batch of
 *                                               gray tiles and prints the milliseconds
 *                                               that passed and those of all cores' work;
 *                                               $THREADS threads, or one a core
 *     network peak - - fp32|bf16 -              the same for a product of PEAK_GFLOP, as
 *                                               fast as this machine does any */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "nn/plan.h"
#include "tests/clock.h"

static int stop(const struct err *err)
{
    fprintf(stderr, "network: %s\n", err->message);
    return (int)err->status;
}

static int write_weights(char **argv)
{
    struct weights weights = {0};
    struct model *model;
    struct err err;
    if (model_new(&model, argv[1], atoi(argv[2]), atoi(argv[3]), &err) ||
        model_initialize(model, (uint64_t)atoi(argv[4]), &err) ||
        model_export(model, &weights, &err) || weights_write(&weights, argv[5], &err))
        return stop(&err);
    weights_free(&weights);
    model_free(model);
    return 0;
}

static int run_once(struct model *model, const nn_tensor *x, struct err *err)
{
    struct model_output out;
    double wall = wall_milliseconds(), work = work_milliseconds();
    double sum;
    if (nn_scope_begin())
        return nn_to_err(err, "run");
    if (model_forward(model, x, &out, err))
        return -1;
    if (nn_item(nn_sum(out.logits), &sum))
        return nn_to_err(err, "run");
    nn_scope_end();
    printf("%.2f %.2f\n", wall_milliseconds() - wall, work_milliseconds() - work);
    fflush(stdout);
    return 0;
}

static enum dtype precision_of(const char *name)
{
    return strcmp(name, "bf16") == 0 ? DTYPE_BF16 : DTYPE_F32;
}

/* -1 also where the processor has not got that precision: who asks does without it. */
static int start(enum dtype precision)
{
    const char *threads = getenv("THREADS");
    struct err err;
    nn_reuse_memory();
    return nn_check_precision(NN_CPU, precision, &err) ||
                   nn_set_threads(threads ? atoi(threads) : 0) || nn_scope_begin()
               ? -1
               : 0;
}

static int serve(char **argv)
{
    struct model *model;
    struct err err;
    char line[64];
    enum dtype precision = precision_of(argv[4]);
    int channels = strcmp(argv[2], "unetpp") == 0 ? 3 : strcmp(argv[2], "cellpose") == 0 ? 2 : 1;
    int64_t shape[] = {atoi(argv[3]), channels, atoi(argv[5]), atoi(argv[5])};
    if (start(precision))
        return 1;
    if (model_new(&model, argv[2], 2, channels, &err) || model_initialize(model, 1, &err) ||
        model_freeze(model, NN_CPU, precision, &err))
        return stop(&err);
    nn_tensor *x = nn_rand(4, shape, NN_CPU);
    while (fgets(line, sizeof line, stdin))
        if (run_once(model, x, &err))
            return stop(&err);
    nn_scope_end();
    model_free(model);
    return 0;
}

/* 2 x 4096 x 3072 x 3072 floating-point operations */
#define PEAK_GFLOP 77.3

static int peak(char **argv)
{
    enum dtype precision = precision_of(argv[4]);
    char line[64];
    if (start(precision))
        return 1;
    nn_tensor *weight = nn_rand(2, (int64_t[]){3072, 3072}, NN_CPU);
    nn_tensor *x = nn_rand(2, (int64_t[]){4096, 3072}, NN_CPU);
    struct nn_plan *plan = nn_plan_linear(weight, NULL, precision);
    x = nn_to_dtype(x, precision);
    while (plan && fgets(line, sizeof line, stdin)) {
        double wall = wall_milliseconds(), work = work_milliseconds();
        if (nn_scope_begin() || !nn_plan_run(plan, x, NN_NONE, NULL))
            return 1;
        nn_scope_end();
        printf("%.2f %.2f\n", wall_milliseconds() - wall, work_milliseconds() - work);
        fflush(stdout);
    }
    nn_plan_free(plan);
    nn_scope_end();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return STATUS_USAGE;
    return strcmp(argv[1], "serve") == 0  ? serve(argv)
           : strcmp(argv[1], "peak") == 0 ? peak(argv)
                                          : write_weights(argv);
}
