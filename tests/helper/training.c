/* Steps of training for the benchmarks:
 *     training ARCH BATCH fp32|bf16 SIDE   for each line of standard input trains a network
 *                                          of two classes with one batch, as `train` does
 *                                          without outliers, and prints the milliseconds
 *                                          that passed and those of all cores' work;
 *                                          $THREADS threads, or one a core */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/plan.h"
#include "tests/clock.h"
#include "train/trainer.h"

static struct trainer_batch batch;

static int make_batch(int64_t size, int64_t side)
{
    size_t n = (size_t)(size * side * side);
    float *images = malloc(n * sizeof *images);
    uint8_t *labels = malloc(n);
    if (!images || !labels)
        return -1;
    for (size_t i = 0; i < n; i++) {
        labels[i] = (i / 32 % 7 + i / (size_t)side / 32) % 2;
        images[i] = (float)(i * 2654435761u % 1000) / 1000 + labels[i];
    }
    batch = (struct trainer_batch){.size = size,
                                   .channels = 1,
                                   .height = side,
                                   .width = side,
                                   .images = images,
                                   .labels = labels};
    return 0;
}

static int step(struct trainer *trainer, struct err *err)
{
    struct trainer_report report;
    double wall = wall_milliseconds(), work = work_milliseconds();
    if (trainer_accumulate(trainer, &batch, 1, &report, err) ||
        trainer_step(trainer, 0.01, &report, err))
        return -1;
    printf("%.2f %.2f %.6f\n", wall_milliseconds() - wall, work_milliseconds() - work, report.loss);
    fflush(stdout);
    return 0;
}

static int serve(char **argv, struct err *err)
{
    struct model *model;
    struct trainer *trainer;
    struct trainer_options options = {
        .optimizer = TRAINER_SGD, .momentum = 0.9, .weight_decay = 1e-4, .device = NN_CPU};
    const char *threads = getenv("THREADS");
    char line[64];
    options.precision = strcmp(argv[3], "bf16") == 0 ? DTYPE_BF16 : DTYPE_F32;
    nn_reuse_memory();
    if (nn_check_precision(NN_CPU, options.precision, err))
        return -1;
    if (nn_set_threads(threads ? atoi(threads) : 0))
        return nn_to_err(err, "threads");
    if (make_batch(atoi(argv[2]), atoi(argv[4])))
        return err_memory(err, "a batch");
    if (model_new(&model, argv[1], 2, 1, err) || model_initialize(model, 1, err) ||
        trainer_new(&trainer, model, &options, err))
        return -1;
    while (fgets(line, sizeof line, stdin))
        if (step(trainer, err))
            return -1;
    trainer_free(trainer);
    model_free(model);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err;
    if (argc != 5)
        return STATUS_USAGE;
    if (serve(argv, &err) == 0)
        return 0;
    fprintf(stderr, "training: %s\n", err.message);
    return (int)err.status;
}
