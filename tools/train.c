/* train: a tensor stream of images and masks to weights. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/num.h"
#include "stream/store.h"
#include "train/session.h"

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

enum { AUTO = -1 };

static struct {
    const char *validation, *policy, *device;
    bool schedule_given, flows, ranges_given;
    int precision, target; /* enum dtype, or AUTO; 0: not given */
} settings = {.policy = "paper", .device = "cpu", .precision = DTYPE_F32};

static int read_loss(const char *text, struct err *err)
{
    return loss_objective_parse(&run.trainer.loss.objective, text, err);
}

/* EPOCH or N% */
static int read_vos_start(const char *text, struct err *err)
{
    char number[32];
    size_t length = strlen(text);
    bool share = length && text[length - 1] == '%';
    snprintf(number, sizeof number, "%.*s", (int)(length - share), text);
    double value;
    if (length >= sizeof number || num_real(number, 0, share ? 100 : 1e6, &value, err) ||
        (!share && value != floor(value)))
        return err_set(err, STATUS_USAGE, "'%s' is neither an epoch nor a percentage", text);
    run.vos_start = share ? 0 : value;
    run.vos_share = share ? value / 100 : 0;
    return 0;
}

static const struct cli_option options[] = {
    {'o', "output", "FILE", "weights to write (required)", CLI_TEXT(run.output)},
    {'a', "arch", "ARCH",
     "architecture, with options: unet-s:width=24 (default that of --init, else unet-s)",
     CLI_TEXT(run.arch)},
    {0, "init", "FILE", "start from these weights, or a published ViT (.npz) or Swin transformer",
     CLI_TEXT(run.init)},
    {0, "val", "STREAM", "validate on this stream each epoch; FILE has the best weights",
     CLI_TEXT(settings.validation)},
    {'e', "epochs", "N", "times through the data (default 200)", CLI_INT(run.epochs, 1, 1000000)},
    {0, "steps", "N", "stop after N steps instead", CLI_INT(run.steps, 1, INT32_MAX)},
    {0, "minutes", "M", "stop after M minutes instead", CLI_REAL(run.minutes, 0.01, 1e6)},
    {'b', "batch", "N", "samples a step (default 16)", CLI_INT(run.batch, 1, 65536)},
    {0, "accumulate", "N", "add up the gradients of N batches for a step (default 1)",
     CLI_INT(run.accumulate, 1, 65536)},
    {0, "crop", "SIZE", "train on random windows of this size (default: whole tiles)",
     CLI_INT(run.crop, 16, 16384)},
    {0, "repeat", "N", "show each sample N times an epoch (default 1)",
     CLI_INT(run.repeat, 1, 1000000)},
    {0, "flows", NULL, "learn single cells too: flows, beside the classes (ARCH:flows=1)",
     CLI_FLAG(settings.flows)},
    {0, "flow-target", FLOW_TARGET_WORDS, "flows to the middle (default), or from the border",
     CLI_CHOICE_FOR(settings.target, 1, 2)},
    {0, "diameter", "PIXELS",
     "cellpose: scale images to cells of this diameter (default 30; 0: leave them)",
     CLI_REAL(run.diameter, 0, 1e4)},
    {0, "size-model", NULL, "cellpose: fit a size model too, for predict",
     CLI_FLAG(run.size_model)},
    {'p', "policy", "POLICY", "augmentation as in augment(1) (default paper)",
     CLI_TEXT(settings.policy)},
    {0, "optimizer", "sgd|adamw", "(default sgd)", CLI_CHOICE(run.trainer.optimizer)},
    {0, "lr", "RATE", "learning rate at the start (default 0.01 for sgd, 0.001 for adamw)",
     CLI_REAL(run.schedule.start, 1e-12, 1e6)},
    {0, "momentum", "M", "of sgd (default 0.9)", CLI_REAL(run.trainer.momentum, 0, 1)},
    {0, "weight-decay", "D", "(default 0.0001)", CLI_REAL(run.trainer.weight_decay, 0, 1e6)},
    {0, "schedule", SCHEDULE_WORDS, "(default poly for sgd, exp for adamw)",
     CLI_CHOICE(run.schedule.kind), CLI_GIVEN(settings.schedule_given)},
    {0, "warmup", "PERCENT", "of the run in which the rate rises from 0 (default 0)",
     CLI_PERCENT(run.schedule.warmup, 0, 99)},
    {0, "clip", "NORM", "limit the gradient's norm (default 0: no limit)",
     CLI_REAL(run.trainer.clip, 0, 1e12)},
    {0, "average", "DECAY", "keep a running average of the weights (default 0: none)",
     CLI_REAL(run.trainer.average, 0, 0.999999)},
    {0, "topology", "W",
     "weight of topological consistency with the running average (default 0.002 for toposeg)",
     CLI_REAL(run.trainer.consistency.topology, 1e-12, 1e6)},
    {0, "loss", "LOSS", "balance, norm, pareto (also :released) or mgda (default balance)",
     CLI_CALL(read_loss)},
    {0, "lambda", "W", "weight of the losses of the logits",
     CLI_REAL(run.trainer.loss.lambda, 1e-12, 1e6)},
    {0, "beta", "W", "weight of the losses of the virtual outliers",
     CLI_REAL(run.trainer.loss.beta, 1e-12, 1e6)},
    {0, "vos", NULL, "learn from virtual outliers too", CLI_FLAG(run.trainer.outliers)},
    {0, "vos-start", "EPOCH|N%",
     "first epoch with outliers, from 0, or share of the run (default 150)",
     CLI_CALL(read_vos_start)},
    {0, "vos-sample", "N", "candidates a class (default 100000)",
     CLI_INT(run.trainer.vos.sample, 1, 100000000)},
    {0, "vos-select", "N", "of them, the least likely (default 10000)",
     CLI_INT(run.trainer.vos.select, 1, 100000000)},
    {0, "vos-queue", "N", "logits kept of each class (default 10000)",
     CLI_INT(run.trainer.vos.queue, 10, 100000000)},
    {0, "vos-ridge", "R", "added to the covariance's diagonal (default 0.01)",
     CLI_REAL(run.trainer.vos.ridge, 0, 1e6)},
    {0, "vos-epsilon", "E", "instead: candidates whose density is below E (default 0: not so)",
     CLI_REAL(run.trainer.vos.epsilon, 0, 1e6)},
    {0, "vos-per", "batch|image", "what --vos-select is counted in (default batch)",
     CLI_CHOICE(run.trainer.vos.per)},
    {0, "vos-mode", "class|released", "the paper's, or the released code's (default class)",
     CLI_CHOICE(run.trainer.vos.mode)},
    {0, "vos-stream", "FILE", "write a batch of each epoch after outliers took their places",
     CLI_TEXT(run.outliers)},
    {0, "classes", "K", "with 2, every label but 0 is foreground (default 2)",
     CLI_INT(run.classes, 2, 255)},
    {0, "channels", "1|3",
     "what the network sees (default: that of --init, else of the first image)",
     CLI_CHOICE_FOR(run.channels, 1, 3)},
    {0, "seed", "N", "(default 1)", CLI_INT(run.seed, 0, INT64_MAX)},
    {'d', "device", "DEVICE", "cpu, cuda or cuda:N (default cpu)", CLI_TEXT(settings.device)},
    {'P', "precision", "fp32|bf16|fp16|auto",
     "of products (default fp32; auto: bf16 where this device has it); fp16 scales the loss",
     CLI_CHOICE_FOR(settings.precision, DTYPE_F32, DTYPE_BF16, DTYPE_F16, AUTO)},
    {'t', "threads", "N", "of libtorch (default: one a processor)", CLI_INT(run.threads, 1, 4096)},
    {0, "loaders", "N", "threads that read and augment (default 1)", CLI_INT(run.loaders, 1, 256)},
    {0, "log", "FILE", "a row an epoch (default: the output's name with .tsv)", CLI_TEXT(run.log)},
    {0, "resume", NULL, "continue from the checkpoint beside the output, if there is one",
     CLI_FLAG(run.resume)},
    {0, "timeout", "SECONDS", "wait this long for other ranks (default 600)",
     CLI_INT(run.timeout, 1, 1000000)},
    {0, "plot", "FILE", "draw the log as SVG after each epoch, by gnuplot", CLI_TEXT(run.plot)},
    {0, "events", "DIR", "write an event file for TensorBoard into this folder",
     CLI_TEXT(run.events)},
    {0, "normalize", "none|range",
     "range: see the 1st to 99th percentile of the whole image as 0 to 1 (default that of\n"
     "--init, else none)",
     CLI_CHOICE(run.ranges), CLI_GIVEN(settings.ranges_given)},
    {0, "half", NULL, "write the weights as float16", CLI_FLAG(run.half)},
    {0, "data", "TEXT", "name of the data, for the weights' metadata", CLI_TEXT(run.data)},
    {0, "license|licence", "TEXT", "of the weights, for their metadata", CLI_TEXT(run.license)},
    {0},
};

static const struct cli_program program = {
    .name = "train",
    .purpose = "a tensor stream of images and masks to weights",
    .synopsis = "[options] -o WEIGHTS [STREAM...]",
    .options = options,
    .calls_out = true,
};

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
    struct err err;
    int device = run.trainer.device;
    enum dtype type =
        settings.precision == AUTO ? nn_fastest_precision(device) : (enum dtype)settings.precision;
    if (nn_check_precision(device, type, &err))
        cli_die_usage("option '-P': %s", err.message);
    run.trainer.precision = type;
    run.trainer.scale_loss = type == DTYPE_F16;
}

static void check_options(void)
{
    struct err err;
    if (ranks_from_environment(&run.ranks, &err))
        cli_die_err(&err);
    settle_device();
    settle_precision();
    if (run.trainer.device == NN_CPU && run.ranks.size == 1 && !run.plot) /* gnuplot draws */
        cli_enter_sandbox();
    if (!run.output)
        cli_die_usage("no -o: where shall the weights go?");
    if (strcmp(run.output, "-") == 0)
        cli_die_usage("weights cannot go to standard output");
    if (augment_policy_parse(&run.policy, settings.policy, &err))
        cli_die_usage("%s", err.message);
    if (run.trainer.vos.mode == VOS_RELEASED &&
        (run.trainer.vos.per == VOS_PER_IMAGE || run.trainer.vos.epsilon > 0))
        cli_die_usage("--vos-mode released knows neither --vos-per image nor --vos-epsilon");
    if (run.trainer.vos.select > run.trainer.vos.sample)
        cli_die_usage("--vos-select cannot be more than --vos-sample");
    if (run.outliers && !run.trainer.outliers)
        cli_die_usage("--vos-stream needs --vos");
    int flows = settings.target ? settings.target : settings.flows ? FLOWS_ANY : 0;
    if (session_settle_arch(&run, flows, settings.ranges_given, &err))
        cli_die_err(&err);
}

static void complete_options(void)
{
    bool adamw = run.trainer.optimizer == TRAINER_ADAMW;
    run.command = cli_command_line();
    run.interrupted = &interrupted;
    run.progress = cli_progress;
    run.warn = cli_warn_err;
    run.say = cli_say;
    run.status = cli_status;
    if (run.schedule.start == 0)
        run.schedule.start = adamw ? 1e-3 : 1e-2;
    if (!settings.schedule_given)
        run.schedule.kind = adamw ? SCHEDULE_EXP : SCHEDULE_POLY;
}

/* ---- data ---- */

static bool some_failed; /* sources before the streams came */

static struct store *read_data(char **paths, bool unlabeled)
{
    struct store *store;
    struct err err;
    if (store_new(&store, &err))
        cli_die_err(&err);
    if (unlabeled)
        store_take_unlabeled(store);
    if (run.ranges)
        store_see_ranges(store);
    for (; *paths; paths++)
        if (store_stream(store, *paths, cli_progress, &err))
            cli_die_err(&err);
    if (store_labeled(store) == 0)
        cli_die(STATUS_DATA, "there is no %ssample to learn from",
                store_count(store) ? "labeled " : "");
    if (store_failed(store, &err)) {
        cli_warn_err(&err);
        some_failed = true;
    }
    return store;
}

int main(int argc, char **argv)
{
    struct session *session;
    struct err err, late;
    cli_start(&program, argc, argv);
    check_options();
    complete_options();
    char *validation[] = {(char *)settings.validation, NULL};
    struct store *data = read_data(cli_inputs(), session_learns_unlabeled(&run));
    struct store *held = settings.validation ? read_data(validation, false) : NULL;
    if (session_new(&session, &run, data, held, &err))
        cli_die_err(&err);
    let_interrupt();
    int result = session_run(session, &err);
    if (session_close(session, result ? &late : &err))
        result = -1;
    store_free(data);
    store_free(held);
    if (result)
        cli_die_err(&err);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
