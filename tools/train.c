/* train: a tensor stream of images and masks to weights. */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/num.h"
#include "core/prefetch.h"
#include "model/checkpoint.h"
#include "model/peers.h"
#include "model/record.h"
#include "model/schedule.h"
#include "ops/augment.h"
#include "ops/flows.h"
#include "ops/metrics.h"
#include "ops/persistence.h"
#include "ops/planes.h"
#include "stream/spool.h"
#include "stream/stream.h"

enum {
    OPT_INIT = CLI_LONG_ONLY,
    OPT_VAL,
    OPT_STEPS,
    OPT_MINUTES,
    OPT_OPTIMIZER,
    OPT_LR,
    OPT_MOMENTUM,
    OPT_DECAY,
    OPT_SCHEDULE,
    OPT_WARMUP,
    OPT_CLIP,
    OPT_ACCUMULATE,
    OPT_AVERAGE,
    OPT_TOPOLOGY,
    OPT_LOSS,
    OPT_LAMBDA,
    OPT_BETA,
    OPT_CROP,
    OPT_REPEAT,
    OPT_CLASSES,
    OPT_CHANNELS,
    OPT_SEED,
    OPT_LOADERS,
    OPT_LOG,
    OPT_LICENCE,
    OPT_DATA,
    OPT_HALF,
    OPT_RESUME,
    OPT_TIMEOUT,
    OPT_PLOT,
    OPT_EVENTS,
    OPT_VOS,
    OPT_VOS_START,
    OPT_VOS_SAMPLE,
    OPT_VOS_SELECT,
    OPT_VOS_QUEUE,
    OPT_VOS_RIDGE,
    OPT_VOS_MODE,
};

static const struct cli_option options[] = {
    {'o', "output", "FILE", "weights to write (required)"},
    {'a', "arch", "ARCH", "architecture, with options: unet-s:width=24 (default unet-s)"},
    {OPT_INIT, "init", "FILE", "start from these weights (.npz: a published ViT encoder)"},
    {OPT_VAL, "val", "STREAM", "validate on this stream each epoch; FILE has the best weights"},
    {'e', "epochs", "N", "times through the data (default 200)"},
    {OPT_STEPS, "steps", "N", "stop after N steps instead"},
    {OPT_MINUTES, "minutes", "M", "stop after M minutes instead"},
    {'b', "batch", "N", "samples a step (default 16)"},
    {OPT_ACCUMULATE, "accumulate", "N", "add up the gradients of N batches for a step (default 1)"},
    {OPT_CROP, "crop", "SIZE", "train on random windows of this size (default: whole tiles)"},
    {OPT_REPEAT, "repeat", "N", "show each sample N times an epoch (default 1)"},
    {'p', "policy", "POLICY", "augmentation as in augment(1) (default paper)"},
    {OPT_OPTIMIZER, "optimizer", "sgd|adamw", "(default sgd)"},
    {OPT_LR, "lr", "RATE", "learning rate at the start (default 0.01 for sgd, 0.001 for adamw)"},
    {OPT_MOMENTUM, "momentum", "M", "of sgd (default 0.9)"},
    {OPT_DECAY, "weight-decay", "D", "(default 0.0001)"},
    {OPT_SCHEDULE, "schedule", SCHEDULE_WORDS, "(default poly for sgd, exp for adamw)"},
    {OPT_WARMUP, "warmup", "PERCENT", "of the run in which the rate rises from 0 (default 0)"},
    {OPT_CLIP, "clip", "NORM", "limit the gradient's norm (default 0: no limit)"},
    {OPT_AVERAGE, "average", "DECAY", "keep a running average of the weights (default 0: none)"},
    {OPT_TOPOLOGY, "topology", "W",
     "weight of topological consistency with the running average (default 0.002 for toposeg)"},
    {OPT_LOSS, "loss", "LOSS", "balance, norm, pareto (also :released) or mgda (default balance)"},
    {OPT_LAMBDA, "lambda", "W", "weight of the losses of the logits"},
    {OPT_BETA, "beta", "W", "weight of the losses of the virtual outliers"},
    {OPT_VOS, "vos", NULL, "learn from virtual outliers too"},
    {OPT_VOS_START, "vos-start", "EPOCH|N%",
     "first epoch with outliers, from 0, or share of the run (default 150)"},
    {OPT_VOS_SAMPLE, "vos-sample", "N", "candidates a class (default 100000)"},
    {OPT_VOS_SELECT, "vos-select", "N", "of them, the least likely (default 10000)"},
    {OPT_VOS_QUEUE, "vos-queue", "N", "logits kept of each class (default 10000)"},
    {OPT_VOS_RIDGE, "vos-ridge", "R", "added to the covariance's diagonal (default 0.01)"},
    {OPT_VOS_MODE, "vos-mode", "class|released",
     "the paper's, or the released code's (default class)"},
    {OPT_CLASSES, "classes", "K", "with 2, every label but 0 is foreground (default 2)"},
    {OPT_CHANNELS, "channels", "1|3", "what the network sees (default: the first image's)"},
    {OPT_SEED, "seed", "N", "(default 1)"},
    {'d', "device", "DEVICE", "cpu, cuda or cuda:N (default cpu)"},
    {'P', "precision", "fp32|bf16|fp16", "of products (default fp32); fp16 scales the loss"},
    {'t', "threads", "N", "of libtorch (default: one a core)"},
    {OPT_LOADERS, "loaders", "N", "threads that read and augment (default 1)"},
    {OPT_LOG, "log", "FILE", "a row an epoch (default: the output's name with .tsv)"},
    {OPT_RESUME, "resume", NULL, "continue from the checkpoint beside the output, if there is one"},
    {OPT_TIMEOUT, "timeout", "SECONDS", "wait this long for other ranks (default 600)"},
    {OPT_PLOT, "plot", "FILE", "draw the log as SVG after each epoch, by gnuplot"},
    {OPT_EVENTS, "events", "DIR", "write an event file for TensorBoard into this folder"},
    {OPT_HALF, "half", NULL, "write the weights as float16"},
    {OPT_DATA, "data", "TEXT", "name of the data, for the weights' metadata"},
    {OPT_LICENCE, "licence", "TEXT", "of the weights, for their metadata"},
    {0},
};

static const struct cli_program program = {
    .name = "train",
    .purpose = "a tensor stream of images and masks to weights",
    .synopsis = "[options] -o WEIGHTS [STREAM...]",
    .options = options,
};

static struct {
    const char *output, *arch, *init, *validation, *policy_text, *log, *plot, *events, *licence,
        *data;
    int64_t epochs, steps, batch, accumulate, crop, repeat, classes, channels, seed, threads,
        loaders, timeout;
    double minutes, vos_start, vos_share; /* in epochs; part of the run */
    struct ranks ranks;
    bool half, resume, any_cuda, schedule_given;
    struct augment_policy policy;
    struct schedule schedule;
    struct trainer_options trainer;
} settings = {
    .arch = "unet-s",
    .policy_text = "paper",
    .epochs = 200,
    .batch = 16,
    .accumulate = 1,
    .repeat = 1,
    .classes = 2,
    .seed = 1,
    .loaders = 1,
    .timeout = 600,
    .schedule = {.power = 0.9, .ratio = 0.01},
    .trainer = {.device = NN_CPU,
                .momentum = 0.9,
                .weight_decay = 1e-4,
                .precision = DTYPE_F32,
                .vos = {.sample = 100000, .select = 10000, .queue = 10000, .ridge = 0.01}},
    .vos_start = 150,
};

static void read_loss(const char *text)
{
    struct err err;
    if (loss_objective_parse(&settings.trainer.loss.objective, text, &err))
        cli_die_usage("%s", err.message);
}

static void read_device(const char *text)
{
    int64_t number = 0;
    struct err err;
    bool cuda = strncmp(text, "cuda", 4) == 0;
    if ((!cuda && strcmp(text, "cpu") != 0) || (cuda && text[4] && text[4] != ':') ||
        (cuda && text[4] && num_int(text + 5, 0, 1023, &number, &err)))
        cli_die_usage("device '%s': not cpu, cuda or cuda:N", text);
    settings.trainer.device = cuda ? (int)number : NN_CPU;
    settings.any_cuda = cuda && !text[4];
}

/* Files, data and machine. */
static bool read_file_option(int c)
{
    switch (c) {
    case 'o':
        settings.output = cli_argument();
        return true;
    case 'a':
        settings.arch = cli_argument();
        return true;
    case OPT_INIT:
        settings.init = cli_argument();
        return true;
    case OPT_VAL:
        settings.validation = cli_argument();
        return true;
    case OPT_CROP:
        settings.crop = cli_int(16, 16384);
        return true;
    case OPT_REPEAT:
        settings.repeat = cli_int(1, 1000000);
        return true;
    case 'p':
        settings.policy_text = cli_argument();
        return true;
    case OPT_CLASSES:
        settings.classes = cli_int(2, 255);
        return true;
    case OPT_CHANNELS:
        settings.channels = cli_choice("1|3") ? 3 : 1;
        return true;
    case OPT_SEED:
        settings.seed = cli_int(0, INT64_MAX);
        return true;
    case 'd':
        read_device(cli_argument());
        return true;
    case OPT_EVENTS:
        settings.events = cli_argument();
        return true;
    case OPT_PLOT:
        settings.plot = cli_argument();
        return true;
    case 't':
        settings.threads = cli_int(1, 4096);
        return true;
    case OPT_LOADERS:
        settings.loaders = cli_int(1, 256);
        return true;
    case OPT_TIMEOUT:
        settings.timeout = cli_int(1, 1000000);
        return true;
    case OPT_LOG:
        settings.log = cli_argument();
        return true;
    case OPT_HALF:
        settings.half = true;
        return true;
    case OPT_RESUME:
        settings.resume = true;
        return true;
    case OPT_DATA:
        settings.data = cli_argument();
        return true;
    case OPT_LICENCE:
        settings.licence = cli_argument();
        return true;
    }
    return false;
}

/* Length, steps, precision. */
static bool read_run_option(int c)
{
    struct trainer_options *t = &settings.trainer;
    switch (c) {
    case 'e':
        settings.epochs = cli_int(1, 1000000);
        return true;
    case OPT_STEPS:
        settings.steps = cli_int(1, INT32_MAX);
        return true;
    case OPT_MINUTES:
        settings.minutes = cli_real(0.01, 1e6);
        return true;
    case 'b':
        settings.batch = cli_int(1, 65536);
        return true;
    case OPT_ACCUMULATE:
        settings.accumulate = cli_int(1, 65536);
        return true;
    case OPT_OPTIMIZER:
        t->optimizer = (enum trainer_optimizer)cli_choice("sgd|adamw");
        return true;
    case OPT_LR:
        settings.schedule.start = cli_real(1e-12, 1e6);
        return true;
    case OPT_MOMENTUM:
        t->momentum = cli_real(0, 1);
        return true;
    case OPT_DECAY:
        t->weight_decay = cli_real(0, 1e6);
        return true;
    case OPT_SCHEDULE:
        settings.schedule.kind = (enum schedule_kind)cli_choice(SCHEDULE_WORDS);
        settings.schedule_given = true;
        return true;
    case OPT_WARMUP:
        settings.schedule.warmup = cli_real(0, 99) / 100;
        return true;
    case OPT_CLIP:
        t->clip = cli_real(0, 1e12);
        return true;
    case OPT_AVERAGE:
        t->average = cli_real(0, 0.999999);
        return true;
    case OPT_TOPOLOGY:
        t->consistency.topology = cli_real(1e-12, 1e6);
        return true;
    case 'P':
        t->precision =
            (enum dtype[]){DTYPE_F32, DTYPE_BF16, DTYPE_F16}[cli_choice("fp32|bf16|fp16")];
        t->scale_loss = t->precision == DTYPE_F16;
        return true;
    }
    return false;
}

static void read_vos_start(const char *text)
{
    char number[32];
    struct err err;
    size_t length = strlen(text);
    bool share = length && text[length - 1] == '%';
    snprintf(number, sizeof number, "%.*s", (int)(length - share), text);
    double value;
    if (length >= sizeof number || num_real(number, 0, share ? 100 : 1e6, &value, &err) ||
        (!share && value != floor(value)))
        cli_die_usage("--vos-start '%s' is neither an epoch nor a percentage", text);
    settings.vos_start = share ? 0 : value;
    settings.vos_share = share ? value / 100 : 0;
}

/* Objective and outliers. */
static bool read_loss_option(int c)
{
    struct trainer_options *t = &settings.trainer;
    switch (c) {
    case OPT_LOSS:
        read_loss(cli_argument());
        return true;
    case OPT_LAMBDA:
        t->loss.lambda = cli_real(1e-12, 1e6);
        return true;
    case OPT_BETA:
        t->loss.beta = cli_real(1e-12, 1e6);
        return true;
    case OPT_VOS:
        t->outliers = true;
        return true;
    case OPT_VOS_START:
        read_vos_start(cli_argument());
        return true;
    case OPT_VOS_SAMPLE:
        t->vos.sample = cli_int(1, 100000000);
        return true;
    case OPT_VOS_SELECT:
        t->vos.select = cli_int(1, 100000000);
        return true;
    case OPT_VOS_QUEUE:
        t->vos.queue = cli_int(10, 100000000);
        return true;
    case OPT_VOS_RIDGE:
        t->vos.ridge = cli_real(0, 1e6);
        return true;
    case OPT_VOS_MODE:
        t->vos.mode = (enum vos_mode)cli_choice("class|released");
        return true;
    }
    return false;
}

/* "cuda" without a number is each rank's own. */
static void settle_device(void)
{
    int local = settings.ranks.local, count = nn_cuda_count();
    if (settings.any_cuda && local > 0 && count > 0)
        settings.trainer.device = local % count;
}

static void read_options(void)
{
    for (int c; (c = cli_next_option()) != -1;)
        (void)(read_file_option(c) || read_run_option(c) || read_loss_option(c));
    struct err err;
    if (ranks_from_environment(&settings.ranks, &err))
        cli_die_err(&err);
    settle_device();
    bool adamw = settings.trainer.optimizer == TRAINER_ADAMW;
    if (settings.trainer.precision == DTYPE_F16 && settings.trainer.device == NN_CPU)
        cli_die_usage("fp16 needs a CUDA device; bf16 is for CPUs too");
    if (settings.trainer.device != NN_CPU && settings.trainer.device >= nn_cuda_count())
        cli_die(STATUS_USAGE, "there is no CUDA device %d here", settings.trainer.device);
    if (!settings.output)
        cli_die_usage("no -o: where shall the weights go?");
    if (strcmp(settings.output, "-") == 0)
        cli_die_usage("weights cannot go to standard output");
    if (augment_policy_parse(&settings.policy, settings.policy_text, &err))
        cli_die_usage("%s", err.message);
    if (settings.trainer.vos.select > settings.trainer.vos.sample)
        cli_die_usage("--vos-select cannot be more than --vos-sample");
    settings.trainer.seed = (uint64_t)settings.seed;
    if (settings.schedule.start == 0)
        settings.schedule.start = adamw ? 1e-3 : 1e-2;
    if (!settings.schedule_given)
        settings.schedule.kind = adamw ? SCHEDULE_EXP : SCHEDULE_POLY;
}

/* ---- data ---- */

static int spool_stream(struct spool *spool, const char *path, struct err *err)
{
    struct stream_reader *reader;
    struct sample sample;
    if (stream_open(&reader, path, err))
        return -1;
    int got, result = 0;
    while (result == 0 && (got = stream_next(reader, &sample, err)) != 0) {
        if (got < 0) {
            result = -1;
            break;
        }
        result = spool_add(spool, &sample, err);
        sample_free(&sample);
        cli_progress("samples read", spool_count(spool), 0);
    }
    if (result)
        err_prefix(err, "read '%s'", stream_name(reader));
    stream_close(reader);
    return result;
}

static struct spool *read_data(char **paths)
{
    struct spool *spool;
    struct err err;
    if (spool_new(&spool, &err))
        cli_die_err(&err);
    for (; *paths; paths++)
        if (spool_stream(spool, *paths, &err))
            cli_die_err(&err);
    if (spool_count(spool) == 0)
        cli_die(STATUS_DATA, "there is no sample to learn from");
    return spool;
}

/* What the loader threads share; constant while they run. */
struct loader {
    const struct spool *spool;
    uint64_t *order;             /* of the current epoch; see load_batch */
    struct spooled *scratch;     /* one a thread */
    size_t batch, height, width; /* the batch: this rank's part */
    size_t rank, ranks;
    int channels, classes;
    bool flows; /* Cellpose's, from label images */
    uint64_t epoch;
};

/* The slot of a batch: images, flows, then labels. */
static float *slot_images(void *slot)
{
    return slot;
}

static size_t batch_pixels(const struct loader *l)
{
    return l->batch * l->height * l->width;
}

static float *slot_flows(const struct loader *l, void *slot)
{
    return l->flows ? (float *)slot + (size_t)l->channels * batch_pixels(l) : NULL;
}

static size_t slot_floats(const struct loader *l)
{
    return ((size_t)l->channels + (l->flows ? 2 : 0)) * batch_pixels(l);
}

static uint8_t *slot_labels(const struct loader *l, void *slot)
{
    return (uint8_t *)((float *)slot + slot_floats(l));
}

static int flows_of_mask(const struct array *mask, float *flows, struct err *err)
{
    uint32_t *labels = malloc(array_count(mask) * sizeof *labels + 1);
    if (!labels)
        return err_memory(err, "labels");
    int result = planes_labels(mask, labels, err) ||
                         flows_of_labels(labels, mask->shape[0], mask->shape[1], flows, err)
                     ? -1
                     : 0;
    free(labels);
    return result;
}

static int load_sample(const struct loader *l, uint64_t shown, struct spooled *s, float *images,
                       float *flows, uint8_t *labels, struct err *err)
{
    char name[1100];
    struct augment_draw draw;
    struct array image = {0}, mask = {0};
    snprintf(name, sizeof name, "%" PRIu64 "/%" PRIu64 "/%s", l->epoch, shown, s->key);
    struct rng rng = rng_new((uint64_t)settings.seed, name);
    augment_draw(&draw, &settings.policy, &rng, s->image.shape[0], s->image.shape[1], l->height,
                 l->width);
    int result = augment_image(&draw, &s->image, &image, err) ||
                         augment_mask(&draw, &s->mask, false, &mask, err) ||
                         planes_of(&image, s->offset, s->gain, l->channels, images, err) ||
                         planes_classes(&mask, l->classes, labels, err) ||
                         (flows && flows_of_mask(&mask, flows, err))
                     ? err_prefix(err, "sample '%s'", s->key)
                     : 0;
    array_free(&image);
    array_free(&mask);
    return result;
}

/* Batch `number` of the epoch. */
static int load_batch(void *context, uint64_t number, int thread, void *slot, struct err *err)
{
    const struct loader *l = context;
    size_t pixels = l->height * l->width;
    for (size_t i = 0; i < l->batch; i++) {
        uint64_t shown = l->order[(number * l->ranks + l->rank) * l->batch + i];
        size_t sample = (size_t)(shown % spool_count(l->spool));
        if (spool_read(l->spool, sample, &l->scratch[thread], err) ||
            load_sample(l, shown, &l->scratch[thread],
                        slot_images(slot) + i * (size_t)l->channels * pixels,
                        l->flows ? slot_flows(l, slot) + 2 * i * pixels : NULL,
                        slot_labels(l, slot) + i * pixels, err))
            return -1;
    }
    return 0;
}

/* The order of an epoch: every sample `repeat` times, shuffled, filled up with the
 * first ones to whole batches. */
static void shuffle(struct loader *l, uint64_t epoch, size_t count, size_t filled)
{
    char name[64];
    snprintf(name, sizeof name, "order of epoch %" PRIu64, epoch);
    struct rng rng = rng_new((uint64_t)settings.seed, name);
    for (size_t i = 0; i < count; i++)
        l->order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rng_below(&rng, i);
        uint64_t other = l->order[i - 1];
        l->order[i - 1] = l->order[j];
        l->order[j] = other;
    }
    for (size_t i = count; i < filled; i++)
        l->order[i] = l->order[i % count];
    l->epoch = epoch;
}

/* ---- validation ---- */

struct validation {
    double dsc, hd95;
};

static int validate_sample(struct trainer *trainer, const struct loader *l, struct spooled *s,
                           struct validation *sum, struct err *err)
{
    size_t n = array_count(&s->mask);
    float *image = malloc(n * (size_t)l->channels * sizeof *image);
    uint8_t *truth = malloc(n), *found = malloc(n);
    int result = image && truth && found ? 0 : err_memory(err, "validation");
    struct trainer_batch batch = {
        1, l->channels, (int64_t)s->mask.shape[0], (int64_t)s->mask.shape[1], image, truth, NULL};
    if (result == 0)
        result = planes_of(&s->image, s->offset, s->gain, l->channels, image, err) ||
                         planes_classes(&s->mask, l->classes, truth, err) ||
                         trainer_predict(trainer, &batch, found, err)
                     ? -1
                     : 0;
    if (result == 0) {
        struct confusion confusion = {0};
        struct surface surface;
        confusion_add(&confusion, found, truth, n);
        double dsc = overlap_of(&confusion, CONVENTION_STRICT).dsc;
        sum->dsc += isnan(dsc) ? 1 : dsc; /* nothing there and nothing found */
        result = surface_of(&surface, found, truth, s->mask.shape[0], s->mask.shape[1], 1, 1,
                            CONVENTION_RELEASED, err);
        sum->hd95 += result == 0 ? surface.hd95 : 0;
    }
    free(image);
    free(truth);
    free(found);
    return result;
}

/* Means over the validation samples, of which each rank takes its share. */
static int validate(struct trainer *trainer, const struct loader *l, const struct spool *spool,
                    struct validation *mean, struct err *err)
{
    struct spooled sample = {0};
    size_t count = spool_count(spool);
    *mean = (struct validation){0};
    int result = trainer_swap_average(trainer, err);
    for (size_t i = l->rank; i < count && result == 0; i += l->ranks) {
        result = spool_read(spool, i, &sample, err);
        if (result == 0)
            result = validate_sample(trainer, l, &sample, mean, err);
        cli_progress("validated", i + 1, count);
    }
    spooled_free(&sample);
    double sums[] = {mean->dsc, mean->hd95};
    result = result || peers_sum(settings.trainer.group, sums, 2, err);
    mean->dsc = sums[0] / (double)count;
    mean->hd95 = sums[1] / (double)count;
    return result || trainer_swap_average(trainer, err) ? -1 : 0;
}

/* ---- the run ---- */

struct sums { /* of an epoch so far */
    double loss, term[LOSS_TERMS], batches, seconds;
};

struct session {
    struct model *model;
    struct trainer *trainer;
    struct loader loader;
    struct spool *data, *validation; /* validation may be NULL */
    char digest[65];
    char *command; /* that began the run */
    char seed[32];
    struct record *record;
    char log_name[4096], checkpoint_name[4096], last_name[4096];
    double begun;        /* on the clock of seconds() */
    double before;       /* seconds that the run took before it was resumed */
    double clock;        /* seconds so far, on which all ranks agree */
    bool stop;           /* some rank was interrupted */
    double best;         /* DSC, -1 before the first */
    double epoch, batch; /* position: epochs done, batches done in this one */
    double steps, log_bytes, rate;
    uint64_t steps_in_epoch, total_steps;
    struct sums sums;
    struct validation now;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double elapsed(const struct session *s)
{
    return s->before + seconds() - s->begun;
}

static bool is_first(void)
{
    return settings.ranks.rank == 0;
}

/* Whether to stop, and how late it is: the same for all ranks. */
static int agree(struct session *s, struct err *err)
{
    double values[] = {interrupted, is_first() ? elapsed(s) : 0};
    if (peers_sum(settings.trainer.group, values, 2, err))
        return -1;
    s->stop = values[0] > 0;
    s->clock = values[1];
    return 0;
}

static double progress(const struct session *s)
{
    if (settings.minutes > 0)
        return s->clock / (settings.minutes * 60);
    return (double)trainer_steps(s->trainer) / (double)s->total_steps;
}

/* FILE with its ending replaced. */
static void name_beside(char *path, size_t size, const char *ending)
{
    const char *dot = strrchr(settings.output, '.'), *slash = strrchr(settings.output, '/');
    size_t stem =
        dot && (!slash || dot > slash) ? (size_t)(dot - settings.output) : strlen(settings.output);
    if (stem + strlen(ending) >= size)
        cli_die(STATUS_CREATE, "create '%s': name too long", settings.output);
    memcpy(path, settings.output, stem);
    strcpy(path + stem, ending);
}

/* ---- what is written ---- */

enum { DESCRIPTION = 9, STATE = 15 };

/* What is said of the weights. */
static void list_description(struct session *s, struct note *notes)
{
    const struct note all[DESCRIPTION] = {
        {"normalisation", "uint8 / 255, uint16 / 65535, float32 as it is", NULL},
        {"command", s->command, NULL},
        {"data", settings.data, NULL},
        {"data_sha256", s->digest, NULL},
        {"licence", settings.licence, NULL},
        {"version", MORPHOSEG_VERSION, NULL},
        {"seed", s->seed, NULL},
        {"steps", NULL, &s->steps},
        {"validation_dsc", NULL, s->validation ? &s->now.dsc : NULL},
    };
    s->steps = (double)trainer_steps(s->trainer);
    memcpy(notes, all, sizeof all);
}

/* What a checkpoint keeps besides. */
static void list_state(struct session *s, struct note *notes)
{
    const struct note all[STATE] = {
        {"epoch", NULL, &s->epoch},
        {"batch", NULL, &s->batch},
        {"elapsed", NULL, &s->before},
        {"log_bytes", NULL, &s->log_bytes},
        {"rate", NULL, &s->rate},
        {"best", NULL, &s->best},
        {"val_dsc", NULL, &s->now.dsc},
        {"val_hd95", NULL, &s->now.hd95},
        {"loss", NULL, &s->sums.loss},
        {"ce", NULL, &s->sums.term[LOSS_CE]},
        {"dice", NULL, &s->sums.term[LOSS_DICE]},
        {"ce_out", NULL, &s->sums.term[LOSS_CE_OUT]},
        {"dice_out", NULL, &s->sums.term[LOSS_DICE_OUT]},
        {"batches", NULL, &s->sums.batches},
        {"epoch_seconds", NULL, &s->sums.seconds},
    };
    memcpy(notes, all, sizeof all);
}

static int write_weights(struct session *s, const char *path, struct err *err)
{
    struct note notes[DESCRIPTION];
    if (!is_first())
        return 0;
    list_description(s, notes);
    return checkpoint_write_weights(path, s->model, s->trainer, settings.half, notes, DESCRIPTION,
                                    err);
}

static int write_checkpoint(struct session *s, struct err *err)
{
    struct note notes[DESCRIPTION + STATE];
    if (!is_first())
        return 0;
    int64_t bytes = record_bytes(s->record, err);
    if (bytes < 0)
        return -1;
    s->log_bytes = (double)bytes;
    s->before = elapsed(s);
    s->begun = seconds();
    list_description(s, notes);
    list_state(s, notes + DESCRIPTION);
    return checkpoint_write(s->checkpoint_name, s->model, s->trainer, notes, DESCRIPTION + STATE,
                            err);
}

static bool metadata_is(const struct weights *w, const char *key, const char *value)
{
    const char *text = weights_metadata(w, key);
    return text && strcmp(text, value) == 0;
}

static int restore(struct session *s, const struct weights *w, struct err *err)
{
    struct note notes[STATE];
    const char *command = weights_metadata(w, "command");
    list_state(s, notes);
    if (checkpoint_restore(w, s->model, s->trainer, err) ||
        notes_read_numbers(notes, STATE, w, err))
        return -1;
    if (!metadata_is(w, "data_sha256", s->digest))
        return err_set(err, STATUS_USAGE, "it was trained on other data");
    if (!metadata_is(w, "seed", s->seed))
        return err_set(err, STATUS_USAGE, "it was trained with another seed");
    free(s->command);
    s->command = strdup(command ? command : "");
    return s->command ? 0 : err_memory(err, "a command line");
}

/* Puts the session where the checkpoint left it, when there is one. */
static int resume(struct session *s, struct err *err)
{
    struct weights w;
    char copy[4096] = "";
    s->log_bytes = -1;
    if (!settings.resume)
        return 0;
    if (peers_share_file(settings.trainer.group, settings.ranks.rank, s->checkpoint_name, copy,
                         sizeof copy, err))
        return -1;
    const char *name = is_first() ? s->checkpoint_name : copy;
    if (access(name, F_OK))
        return 0;
    int result = weights_read(&w, name, err);
    if (*copy)
        unlink(copy);
    if (result)
        return -1;
    result = restore(s, &w, err);
    weights_free(&w);
    return result ? err_prefix(err, "resume from '%s'", s->checkpoint_name) : 0;
}

static int record_epoch(struct session *s, struct err *err)
{
    static bool warned;
    const struct sums *sums = &s->sums;
    double n = sums->batches > 0 ? sums->batches : 1;
    struct record_row row = {
        .epoch = (uint64_t)s->epoch,
        .step = trainer_steps(s->trainer),
        .rate = s->rate,
        .loss = sums->loss / n,
        .ce = sums->term[LOSS_CE] / n,
        .dice = sums->term[LOSS_DICE] / n,
        .ce_out = sums->term[LOSS_CE_OUT] / n,
        .dice_out = sums->term[LOSS_DICE_OUT] / n,
        .val_dsc = s->validation ? s->now.dsc : NAN,
        .val_hd95 = s->validation ? s->now.hd95 : NAN,
        .images_per_s = n * (double)(s->loader.batch * s->loader.ranks) / (sums->seconds + 1e-9),
        .seconds = elapsed(s),
    };
    if (!is_first())
        return 0;
    if (record_add(s->record, &row, err))
        return -1;
    struct err drawing;
    if (settings.plot && !warned && record_plot(s->record, settings.plot, &drawing)) {
        cli_warn_err(&drawing);
        warned = true;
    }
    return 0;
}

/* ---- the loop ---- */

static int add_batch(struct session *s, struct prefetch *batches, struct err *err)
{
    struct loader *l = &s->loader;
    struct trainer_report report = {0};
    void *slot = prefetch_take(batches, err);
    if (!slot)
        return -1;
    struct trainer_batch batch = {(int64_t)l->batch,  l->channels,       (int64_t)l->height,
                                  (int64_t)l->width,  slot_images(slot), slot_labels(l, slot),
                                  slot_flows(l, slot)};
    int result = trainer_accumulate(s->trainer, &batch, (int)settings.accumulate, &report, err);
    prefetch_done(batches);
    s->sums.loss += report.loss;
    s->sums.batches++;
    s->batch++;
    for (int i = 0; i < report.terms.count; i++)
        s->sums.term[i] += report.terms.value[i];
    return result;
}

static int step(struct session *s, struct prefetch *batches, struct err *err)
{
    struct trainer_report report = {0};
    double begun = seconds();
    for (int64_t i = 0; i < settings.accumulate; i++)
        if (add_batch(s, batches, err))
            return err_prefix(err, "step %" PRId64, trainer_steps(s->trainer) + 1);
    if (trainer_step(s->trainer, s->rate, &report, err))
        return err_prefix(err, "step %" PRId64, trainer_steps(s->trainer) + 1);
    s->sums.seconds += seconds() - begun;
    if (agree(s, err))
        return err_prefix(err, "step %" PRId64, trainer_steps(s->trainer));
    if (is_first())
        cli_progress("steps", (uint64_t)trainer_steps(s->trainer),
                     settings.minutes > 0 ? 0 : s->total_steps);
    return 0;
}

static int finish_epoch(struct session *s, struct err *err)
{
    s->epoch++;
    s->batch = 0;
    if (s->validation && validate(s->trainer, &s->loader, s->validation, &s->now, err))
        return -1;
    if (record_epoch(s, err))
        return -1;
    s->sums = (struct sums){0};
    if (s->validation && s->now.dsc > s->best) {
        s->best = s->now.dsc;
        if (write_weights(s, settings.output, err))
            return -1;
    }
    return write_checkpoint(s, err);
}

/* The rest of an epoch, from s->batch on. */
static int run_epoch(struct session *s, struct err *err)
{
    struct loader *l = &s->loader;
    struct prefetch *batches;
    uint64_t end = s->steps_in_epoch * (uint64_t)settings.accumulate;
    size_t slot = slot_floats(l) * sizeof(float) + batch_pixels(l);
    shuffle(l, (uint64_t)s->epoch, spool_count(s->data) * (size_t)settings.repeat,
            end * l->batch * l->ranks);
    if (prefetch_start(&batches, (int)settings.loaders, (int)settings.loaders + 2, slot,
                       (uint64_t)s->batch, end, load_batch, l, err))
        return -1;
    int result = 0;
    while (s->batch < (double)end && result == 0 && !s->stop && progress(s) < 1) {
        s->rate = schedule_rate(&settings.schedule, progress(s));
        trainer_use_outliers(s->trainer,
                             s->epoch >= settings.vos_start && progress(s) >= settings.vos_share);
        result = step(s, batches, err);
    }
    prefetch_stop(batches, NULL);
    if (result || s->stop)
        return result;
    return finish_epoch(s, err) || agree(s, err) ? -1 : 0;
}

static int run(struct session *s, struct err *err)
{
    int result = agree(s, err);
    if (result == 0 && s->epoch == 0 && s->batch == 0)
        result = write_checkpoint(s, err);
    while (result == 0 && !s->stop && progress(s) < 1)
        result = run_epoch(s, err);
    if (result)
        return -1;
    if (s->stop)
        return write_checkpoint(s, err)
                   ? -1
                   : err_set(err, STATUS_AGAIN,
                             "interrupted at step %" PRId64 ", go on with --resume",
                             trainer_steps(s->trainer));
    if (write_weights(s, s->validation ? s->last_name : settings.output, err))
        return -1;
    double all = 0; /* nobody leaves before the weights are written */
    return peers_sum(settings.trainer.group, &all, 1, err);
}

/* ---- setting up ---- */

static void load_initial(struct session *s)
{
    struct weights w;
    struct err err;
    if (weights_read(&w, settings.init, &err))
        cli_die_err(&err);
    bool npz = strcmp(w.format, "npz") == 0;
    if (npz ? model_load_npz(s->model, &w, &err) : model_load(s->model, &w, &err)) {
        err_prefix(&err, "'%s'", settings.init);
        cli_die_err(&err);
    }
    weights_free(&w);
}

static int measure_topology(const float *student, const float *teacher, size_t height, size_t width,
                            double *loss, float *gradient, void *data, struct err *err)
{
    (void)data;
    return topology_loss(student, teacher, height, width, &TOPOLOGY_DEFAULTS, loss, gradient, err);
}

/* TopoSeg's, or when it is asked for; the running average is the teacher. */
static void settle_consistency(struct session *s)
{
    struct trainer_options *t = &settings.trainer;
    if (t->consistency.topology == 0 && !toposeg_named(settings.arch))
        return;
    if (!model_has_softmax(s->model))
        cli_die_usage("'%s' has no classes to be consistent in", settings.arch);
    if (t->consistency.topology == 0)
        t->consistency.topology = TOPOSEG_WEIGHT;
    t->consistency.pixels = TOPOSEG_PIXELS;
    t->consistency.measure = measure_topology;
    t->average = t->average > 0 ? t->average : TOPOSEG_DECAY;
    t->ramp = (int64_t)(s->total_steps / 2);
}

static void make_model(struct session *s)
{
    struct err err;
    if (nn_set_threads((int)settings.threads)) {
        nn_to_err(&err, "threads");
        cli_die_err(&err);
    }
    if (model_new(&s->model, settings.arch, (int)settings.classes, s->loader.channels, &err))
        cli_die_err(&err);
    s->loader.flows = !model_has_softmax(s->model);
    if (s->loader.flows && settings.trainer.outliers)
        cli_die_usage("'%s' has no classes to draw outliers of", settings.arch);
    if (model_initialise(s->model, (uint64_t)settings.seed, &err))
        cli_die_err(&err);
    if (settings.init)
        load_initial(s);
    int multiple = model_multiple(s->model);
    if (s->loader.height % (size_t)multiple || s->loader.width % (size_t)multiple)
        cli_die(STATUS_USAGE,
                "'%s' needs sizes that are multiples of %d, not %zu x %zu: use --crop",
                settings.arch, multiple, s->loader.width, s->loader.height);
    settle_consistency(s);
    if (trainer_new(&s->trainer, s->model, &settings.trainer, &err))
        cli_die_err(&err);
}

/* Sizes from the first sample; its channels unless told. */
static void plan_batches(struct session *s)
{
    struct loader *l = &s->loader;
    struct spooled first = {0};
    struct err err;
    if (spool_read(s->data, 0, &first, &err))
        cli_die_err(&err);
    l->spool = s->data;
    l->batch = (size_t)settings.batch;
    l->rank = (size_t)settings.ranks.rank;
    l->ranks = (size_t)settings.ranks.size;
    l->height = settings.crop ? (size_t)settings.crop : first.image.shape[0];
    l->width = settings.crop ? (size_t)settings.crop : first.image.shape[1];
    l->channels = settings.channels ? (int)settings.channels : first.image.shape[2] >= 3 ? 3 : 1;
    if (strncmp(settings.arch, "cellpose", 8) == 0)
        l->channels = 1; /* and its second is zero */
    l->classes = (int)settings.classes;
    spooled_free(&first);
    size_t count = spool_count(s->data) * (size_t)settings.repeat;
    size_t step = l->batch * l->ranks * (size_t)settings.accumulate;
    s->steps_in_epoch = (count + step - 1) / step;
    s->total_steps =
        settings.steps ? (uint64_t)settings.steps : s->steps_in_epoch * (uint64_t)settings.epochs;
    l->order = calloc(count + step, sizeof *l->order);
    l->scratch = calloc((size_t)settings.loaders, sizeof *l->scratch);
    if (!l->order || !l->scratch)
        cli_die(STATUS_MEMORY, "out of memory for %zu samples", count);
}

/* Finds the other ranks, if there are any, and makes sure that they do the same. */
static void join(struct session *s)
{
    char text[1000];
    struct err err;
    struct trainer_options *t = &settings.trainer;
    if (peers_join(&t->group, &settings.ranks, (int)settings.timeout, &err))
        cli_die_err(&err);
    t->rank = settings.ranks.rank;
    t->ranks = settings.ranks.size;
    snprintf(text, sizeof text, "%s %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
             s->digest, settings.arch, settings.seed, settings.batch, settings.accumulate,
             settings.steps, settings.epochs);
    if (peers_same(t->group, text, &err))
        cli_die_err(&err);
}

static void begin(struct session *s)
{
    static char standard_input[] = "-", *only[] = {standard_input, NULL};
    char *validation[] = {(char *)settings.validation, NULL};
    s->data = read_data(cli_operand_count() ? cli_operands() : only);
    if (settings.validation)
        s->validation = read_data(validation);
    spool_digest(s->data, s->digest);
    join(s);
    name_beside(s->log_name, sizeof s->log_name, ".tsv");
    name_beside(s->checkpoint_name, sizeof s->checkpoint_name, ".ckpt");
    name_beside(s->last_name, sizeof s->last_name, ".last.safetensors");
    if (settings.log && strlen(settings.log) < sizeof s->log_name)
        strcpy(s->log_name, settings.log);
    plan_batches(s);
    make_model(s);
    s->command = strdup(cli_command_line());
    s->best = -1;
    s->begun = seconds();
    struct err err;
    snprintf(s->seed, sizeof s->seed, "%" PRId64, settings.seed);
    if (peers_share_model(settings.trainer.group, s->model, &err) || resume(s, &err))
        cli_die_err(&err);
    if (is_first() &&
        record_open(&s->record, s->log_name, (int64_t)s->log_bytes, settings.events, &err))
        cli_die_err(&err);
}

static void end(struct session *s)
{
    for (int64_t i = 0; i < settings.loaders; i++)
        spooled_free(&s->loader.scratch[i]);
    free(s->loader.scratch);
    free(s->loader.order);
    free(s->command);
    trainer_free(s->trainer);
    model_free(s->model);
    nn_group_free(settings.trainer.group);
    spool_free(s->data);
    spool_free(s->validation);
}

int main(int argc, char **argv)
{
    cli_start(&program, argc, argv);
    read_options();
    static struct session session;
    struct err err;
    begin(&session);
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int result = run(&session, &err);
    struct err late;
    if (session.record && record_close(session.record, result ? &late : &err))
        result = -1;
    end(&session);
    if (result)
        cli_die_err(&err);
    return cli_finish(STATUS_OK);
}
