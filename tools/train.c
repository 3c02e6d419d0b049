/* train: a tensor stream of images and masks to weights. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/num.h"
#include "stream/spool.h"
#include "train/session.h"

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
    OPT_FLOWS,
    OPT_DIAMETER,
    OPT_SIZE_MODEL,
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
    OPT_VOS_STREAM,
};

static const struct cli_option options[] = {
    {'o', "output", "FILE", "weights to write (required)"},
    {'a', "arch", "ARCH", "architecture, with options: unet-s:width=24 (default unet-s)"},
    {OPT_INIT, "init", "FILE",
     "start from these weights, or a published ViT (.npz) or Swin transformer"},
    {OPT_VAL, "val", "STREAM", "validate on this stream each epoch; FILE has the best weights"},
    {'e', "epochs", "N", "times through the data (default 200)"},
    {OPT_STEPS, "steps", "N", "stop after N steps instead"},
    {OPT_MINUTES, "minutes", "M", "stop after M minutes instead"},
    {'b', "batch", "N", "samples a step (default 16)"},
    {OPT_ACCUMULATE, "accumulate", "N", "add up the gradients of N batches for a step (default 1)"},
    {OPT_CROP, "crop", "SIZE", "train on random windows of this size (default: whole tiles)"},
    {OPT_REPEAT, "repeat", "N", "show each sample N times an epoch (default 1)"},
    {OPT_FLOWS, "flows", NULL, "learn single cells too: flows, beside the classes (ARCH:flows=1)"},
    {OPT_DIAMETER, "diameter", "PIXELS",
     "cellpose: scale images to cells of this diameter (default 30; 0: leave them)"},
    {OPT_SIZE_MODEL, "size-model", NULL, "cellpose: fit a size model too, for predict"},
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
    {OPT_VOS_STREAM, "vos-stream", "FILE",
     "write a batch of each epoch after outliers took their places"},
    {OPT_CLASSES, "classes", "K", "with 2, every label but 0 is foreground (default 2)"},
    {OPT_CHANNELS, "channels", "1|3", "what the network sees (default: the first image's)"},
    {OPT_SEED, "seed", "N", "(default 1)"},
    {'d', "device", "DEVICE", "cpu, cuda or cuda:N (default cpu)"},
    {'P', "precision", "fp32|bf16|fp16|auto",
     "of products (default fp32; auto: what is fastest here); fp16 scales the loss"},
    {'t', "threads", "N", "of libtorch (default: one a processor)"},
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

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void let_interrupt(void)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static struct session_options run = {
    .arch = "unet-s",
    .epochs = 200,
    .batch = 16,
    .accumulate = 1,
    .repeat = 1,
    .classes = 2,
    .seed = 1,
    .loaders = 1,
    .diameter = 30,
    .timeout = 600,
    .schedule = {.power = 0.9, .ratio = 0.01},
    .trainer = {.device = NN_CPU,
                .momentum = 0.9,
                .weight_decay = 1e-4,
                .precision = DTYPE_F32,
                .vos = {.sample = 100000, .select = 10000, .queue = 10000, .ridge = 0.01}},
    .vos_start = 150,
};

static struct {
    const char *validation, *policy, *device;
    bool schedule_given, flows;
    int precision; /* index of the words fp32|bf16|fp16|auto */
} settings = {.policy = "paper", .device = "cpu"};

static void read_loss(const char *text)
{
    struct err err;
    if (loss_objective_parse(&run.trainer.loss.objective, text, &err))
        cli_die_usage("%s", err.message);
}

/* Files, data and machine. */
static bool read_file_option(int c)
{
    switch (c) {
    case 'o':
        run.output = cli_argument();
        return true;
    case 'a':
        run.arch = cli_argument();
        return true;
    case OPT_INIT:
        run.init = cli_argument();
        return true;
    case OPT_VAL:
        settings.validation = cli_argument();
        return true;
    case OPT_CROP:
        run.crop = cli_int(16, 16384);
        return true;
    case OPT_REPEAT:
        run.repeat = cli_int(1, 1000000);
        return true;
    case OPT_FLOWS:
        settings.flows = true;
        return true;
    case OPT_DIAMETER:
        run.diameter = cli_real(0, 1e4);
        return true;
    case OPT_SIZE_MODEL:
        run.size_model = true;
        return true;
    case 'p':
        settings.policy = cli_argument();
        return true;
    case OPT_CLASSES:
        run.classes = cli_int(2, 255);
        return true;
    case OPT_CHANNELS:
        run.channels = cli_choice("1|3") ? 3 : 1;
        return true;
    case OPT_SEED:
        run.seed = cli_int(0, INT64_MAX);
        return true;
    case 'd':
        settings.device = cli_argument();
        return true;
    case OPT_EVENTS:
        run.events = cli_argument();
        return true;
    case OPT_PLOT:
        run.plot = cli_argument();
        return true;
    case 't':
        run.threads = cli_int(1, 4096);
        return true;
    case OPT_LOADERS:
        run.loaders = cli_int(1, 256);
        return true;
    case OPT_TIMEOUT:
        run.timeout = cli_int(1, 1000000);
        return true;
    case OPT_LOG:
        run.log = cli_argument();
        return true;
    case OPT_HALF:
        run.half = true;
        return true;
    case OPT_RESUME:
        run.resume = true;
        return true;
    case OPT_DATA:
        run.data = cli_argument();
        return true;
    case OPT_LICENCE:
        run.licence = cli_argument();
        return true;
    }
    return false;
}

/* Length, steps, precision. */
static bool read_run_option(int c)
{
    struct trainer_options *t = &run.trainer;
    switch (c) {
    case 'e':
        run.epochs = cli_int(1, 1000000);
        return true;
    case OPT_STEPS:
        run.steps = cli_int(1, INT32_MAX);
        return true;
    case OPT_MINUTES:
        run.minutes = cli_real(0.01, 1e6);
        return true;
    case 'b':
        run.batch = cli_int(1, 65536);
        return true;
    case OPT_ACCUMULATE:
        run.accumulate = cli_int(1, 65536);
        return true;
    case OPT_OPTIMIZER:
        t->optimizer = (enum trainer_optimizer)cli_choice("sgd|adamw");
        return true;
    case OPT_LR:
        run.schedule.start = cli_real(1e-12, 1e6);
        return true;
    case OPT_MOMENTUM:
        t->momentum = cli_real(0, 1);
        return true;
    case OPT_DECAY:
        t->weight_decay = cli_real(0, 1e6);
        return true;
    case OPT_SCHEDULE:
        run.schedule.kind = (enum schedule_kind)cli_choice(SCHEDULE_WORDS);
        settings.schedule_given = true;
        return true;
    case OPT_WARMUP:
        run.schedule.warmup = cli_real(0, 99) / 100;
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
        settings.precision = cli_choice("fp32|bf16|fp16|auto");
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
    run.vos_start = share ? 0 : value;
    run.vos_share = share ? value / 100 : 0;
}

/* Objective and outliers. */
static bool read_loss_option(int c)
{
    struct trainer_options *t = &run.trainer;
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
    case OPT_VOS_STREAM:
        run.outliers = cli_argument();
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
    struct err err;
    int local = run.ranks.local, count = nn_cuda_count();
    int own = local > 0 && count > 0 ? local % count : 0;
    if (nn_find_device(settings.device, own, &run.trainer.device, &err))
        cli_die_usage("%s", err.message);
}

static void settle_precision(void)
{
    static const enum dtype types[] = {DTYPE_F32, DTYPE_BF16, DTYPE_F16};
    enum { AUTO = 3 };
    struct err err;
    int device = run.trainer.device;
    enum dtype type =
        settings.precision == AUTO ? nn_fastest_precision(device) : types[settings.precision];
    if (nn_check_precision(device, type, &err))
        cli_die_usage("option '-P': %s", err.message);
    run.trainer.precision = type;
    run.trainer.scale_loss = type == DTYPE_F16;
}

/* --flows is an option of the architecture. */
static void settle_flows(void)
{
    static char arch[300];
    if (!settings.flows)
        return;
    int length =
        snprintf(arch, sizeof arch, "%s%cflows=1", run.arch, strchr(run.arch, ':') ? ',' : ':');
    if (length < 0 || length >= (int)sizeof arch)
        cli_die_usage("architecture '%.40s...': too long", run.arch);
    run.arch = arch;
}

static void read_options(void)
{
    for (int c; (c = cli_next_option()) != -1;)
        (void)(read_file_option(c) || read_run_option(c) || read_loss_option(c));
    struct err err;
    if (ranks_from_environment(&run.ranks, &err))
        cli_die_err(&err);
    settle_device();
    settle_precision();
    settle_flows();
    bool adamw = run.trainer.optimizer == TRAINER_ADAMW;
    if (!run.output)
        cli_die_usage("no -o: where shall the weights go?");
    if (strcmp(run.output, "-") == 0)
        cli_die_usage("weights cannot go to standard output");
    if (augment_policy_parse(&run.policy, settings.policy, &err))
        cli_die_usage("%s", err.message);
    if (run.trainer.vos.select > run.trainer.vos.sample)
        cli_die_usage("--vos-select cannot be more than --vos-sample");
    if (run.outliers && !run.trainer.outliers)
        cli_die_usage("--vos-stream needs --vos");
    run.command = cli_command_line();
    run.interrupted = &interrupted;
    run.progress = cli_progress;
    run.warn = cli_warn_err;
    if (run.schedule.start == 0)
        run.schedule.start = adamw ? 1e-3 : 1e-2;
    if (!settings.schedule_given)
        run.schedule.kind = adamw ? SCHEDULE_EXP : SCHEDULE_POLY;
}

/* ---- data ---- */

static bool some_failed; /* sources before the streams came */

static struct spool *read_data(char **paths, bool unlabelled)
{
    struct spool *spool;
    struct err err;
    if (spool_new(&spool, &err))
        cli_die_err(&err);
    if (unlabelled)
        spool_take_unlabelled(spool);
    for (; *paths; paths++)
        if (spool_stream(spool, *paths, cli_progress, &err))
            cli_die_err(&err);
    if (spool_labelled(spool) == 0)
        cli_die(STATUS_DATA, "there is no %ssample to learn from",
                spool_count(spool) ? "labelled " : "");
    if (spool_failed(spool, &err)) {
        cli_warn_err(&err);
        some_failed = true;
    }
    return spool;
}

int main(int argc, char **argv)
{
    static char standard_input[] = "-", *only[] = {standard_input, NULL};
    struct session *session;
    struct err err, late;
    cli_start(&program, argc, argv);
    read_options();
    char *validation[] = {(char *)settings.validation, NULL};
    struct spool *data =
        read_data(cli_operand_count() ? cli_operands() : only, session_learns_unlabelled(&run));
    struct spool *held = settings.validation ? read_data(validation, false) : NULL;
    if (session_new(&session, &run, data, held, &err))
        cli_die_err(&err);
    let_interrupt();
    int result = session_run(session, &err);
    if (session_close(session, result ? &late : &err))
        result = -1;
    spool_free(data);
    spool_free(held);
    if (result)
        cli_die_err(&err);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
