/* predict: class probabilities of the images of a tensor stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "nn/plan.h"
#include "objects/flow_targets.h"
#include "predict/gaussians.h"
#include "predict/tiles.h"

enum { AUTO = -1 };
enum { RESCALE_AUTO, RESCALE_OFF }; /* as the words of the option */

static struct {
    const char *model, *architecture, *size_model, *output;
    int device;
    int64_t threads, batch;
    int precision;   /* enum dtype, or AUTO */
    enum dtype type; /* what it comes to on the device */
    int rescale;     /* or -1: what the weights say */
    bool keep_image;
    bool ranges; /* the network sees ranges, see sample_scale */
    struct inference_options what;
} settings = {.output = "-",
              .device = NN_CPU,
              .batch = 8,
              .precision = DTYPE_F32,
              .rescale = -1,
              .what = {.prob = true, .uncertainty = UNCERTAINTY_NONE}};

static int read_device(const char *text, struct err *err)
{
    return nn_find_device(text, 0, &settings.device, err);
}

static const struct cli_option options[] = {
    {'m', "model", "WEIGHTS",
     "safetensors or PyTorch checkpoint (default: $MORPHOSEG_MODEL or the model that came along)",
     CLI_TEXT(settings.model)},
    {'a', "arch", "ARCH", "the weights' architecture, for files that don't name it",
     CLI_TEXT(settings.architecture)},
    {'d', "device", "DEVICE", "cpu, cuda or cuda:N (default cpu)", CLI_CALL(read_device)},
    {'b', "batch", "N", "tiles computed at a time (default 8)",
     CLI_INT(settings.batch, 1, TILES_MAX_BATCH)},
    {'t', "threads", "N", "threads to compute with (default: one a processor)",
     CLI_INT(settings.threads, 1, 1024)},
    {'p', "precision", "fp32|bf16|fp16|auto",
     "number format (default fp32; auto: bf16 where this device has it)",
     CLI_CHOICE_FOR(settings.precision, DTYPE_F32, DTYPE_BF16, DTYPE_F16, AUTO)},
    {0, "tta", NULL, "mean over the eight turns and mirror images of each tile",
     CLI_FLAG(settings.what.tta)},
    {0, "uncertainty", UNCERTAINTY_WORDS, "add KEY.uncertainty.npy",
     CLI_CHOICE(settings.what.uncertainty)},
    {0, "logits", NULL, "add KEY.logits.npy, what the network gives",
     CLI_FLAG(settings.what.logits)},
    {0, "diameter", "PIXELS",
     "of the cells, for cellpose (default: the size model's, or that of its training images)",
     CLI_REAL(settings.what.diameter, 1, 1e5)},
    {0, "size-model", "FILE",
     "estimates the diameter, for cellpose (default: the weights', if they have one)",
     CLI_TEXT(settings.size_model)},
    {0, "rescale", "auto|off",
     "show each image at the size where the network is surest (default: what the weights say)",
     CLI_CHOICE(settings.rescale)},
    {0, "keep-image", NULL, "pass the images on, too", CLI_FLAG(settings.keep_image)},
    {'o', "output", "FILE", "write the stream to FILE (default standard output)",
     CLI_TEXT(settings.output)},
    {0},
};

static const struct cli_program program = {
    .name = "predict",
    .purpose = "apply a network to the tiles of a tensor stream",
    .synopsis = "[options] [STREAM]",
    .options = options,
    .calls_out = true,
    .notes = "Adds KEY.prob.npy, classes x height x width, and KEY.flows.npy where the network\n"
             "learned cells, and drops KEY.image.npy.",
};

/* ---- the model ---- */

/* $MORPHOSEG_MODEL, PREFIX/share/morphoseg/default.safetensors beside an installed
 * program, data/default.safetensors of the folder it was built in. */
static const char *default_model(void)
{
    static const char *const places[] = {"/../share/morphoseg/default.safetensors",
                                         "/../../data/default.safetensors"};
    static char path[4200];
    const char *named = getenv("MORPHOSEG_MODEL");
    if (named && *named)
        return named;
    ssize_t length = readlink("/proc/self/exe", path, 4096);
    char *end = length > 0 ? path + length : path;
    while (end > path && *end != '/')
        end--;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        strcpy(end, places[i]);
        if (access(path, R_OK) == 0)
            return path;
    }
    cli_die(STATUS_NO_INPUT, "no default model is installed; name the weights with -m");
}

/* Options come in any order, and auto depends on the device. */
static void settle_precision(void)
{
    struct err err;
    settings.type = settings.precision == AUTO ? nn_fastest_precision(settings.device)
                                               : (enum dtype)settings.precision;
    if (nn_check_precision(settings.device, settings.type, &err))
        cli_die_usage("option '-p': %s", err.message);
}

static void say_precision(const struct weights *weights, const char *path)
{
    const char *trained = weights_metadata(weights, "precision");
    if (settings.precision == AUTO && settings.type == DTYPE_F32 && trained &&
        strcmp(trained, "bf16") == 0)
        cli_warn("'%s' was trained in bf16, for which this processor has no instructions: "
                 "computing in fp32",
                 path);
}

static void read_gaussians(const struct model *model, const struct weights *weights,
                           const char *path)
{
    static struct gaussians gaussians;
    struct err err;
    if (settings.what.uncertainty != UNCERTAINTY_MAHALANOBIS || !model_has_softmax(model))
        return;
    if (gaussians_read(&gaussians, weights, model_classes(model), &err)) {
        err_prefix(&err, "'%s'", path);
        cli_die_err(&err);
    }
    settings.what.gaussians = &gaussians;
}

/* From a file of its own, or from the weights. */
static void take_size_model(const struct weights *weights, const char *path, const char *prefix)
{
    static struct size_model size;
    struct err err;
    if (size_model_read(&size, weights, prefix, &err)) {
        err_prefix(&err, "load '%s'", path);
        cli_die_err(&err);
    }
    settings.what.size = &size;
    settings.what.measure = answer_diameter;
}

static void open_size_model(const char *path)
{
    struct weights weights;
    struct err err;
    if (weights_read(&weights, path, &err))
        cli_die_err(&err);
    take_size_model(&weights, path, size_model_in(&weights, "") ? "" : CELLPOSE_SIZE_PREFIX);
    weights_free(&weights);
}

/* By flows that lead into the middle of cells the network says how sure it is. */
static void settle_rescale(const struct model *model, const struct weights *weights)
{
    const char *wish = weights_metadata(weights, "rescale");
    bool can = model_has_softmax(model) && model_has_flows(model) && !model_has_ridges(model);
    if (settings.rescale == RESCALE_AUTO && !can)
        cli_die_usage("'%s' has no flows beside its classes: no --rescale",
                      model_architecture(model));
    if (settings.rescale < 0)
        settings.rescale = can && wish && strcmp(wish, "auto") == 0 ? RESCALE_AUTO : RESCALE_OFF;
}

/* Their SHA-256 into `hash`. */
static struct model *open_model(const char *path, char hash[65])
{
    struct weights weights;
    struct model *model;
    struct err err;
    if (weights_read(&weights, path, &err) || weights_hash(&weights, path, &err))
        cli_die_err(&err);
    if (model_open(&model, &weights, settings.architecture, &err)) {
        err_prefix(&err, "load '%s'", path);
        cli_die_err(&err);
    }
    if (!settings.size_model && size_model_in(&weights, CELLPOSE_SIZE_PREFIX))
        take_size_model(&weights, path, CELLPOSE_SIZE_PREFIX);
    memcpy(hash, weights.sha256, sizeof weights.sha256);
    read_gaussians(model, &weights, path);
    const char *sees = weights_metadata(&weights, "sees");
    settings.ranges = sees && strcmp(sees, "range") == 0;
    settle_rescale(model, &weights);
    say_precision(&weights, path);
    weights_free(&weights);
    if (nn_set_threads((int)settings.threads)) {
        nn_to_err(&err, "start threads");
        cli_die_err(&err);
    }
    if (model_freeze(model, settings.device, settings.type, &err))
        cli_die_err(&err);
    return model;
}

/* Networks without a softmax give flows. */
static void settle_what(const struct model *model)
{
    settings.what.tta |= settings.what.uncertainty == UNCERTAINTY_TTA;
    settings.what.flows = model_has_flows(model);
    settings.what.ridges = model_has_ridges(model);
    if (model_has_softmax(model)) {
        if (settings.what.diameter > 0 || settings.size_model)
            cli_die_usage("'%s' does not ask for a diameter", model_architecture(model));
        return;
    }
    if (settings.what.tta || settings.what.uncertainty != UNCERTAINTY_NONE)
        cli_die_usage("'%s' gives flows: no --tta, no --uncertainty", model_architecture(model));
    settings.what.logits = true;
}

/* ---- main ---- */

int main(int argc, char **argv)
{
    char hash[65];
    struct err err;
    struct relay *relay;
    cli_start(&program, argc, argv);
    const char *input = cli_only_input();
    cli_refuse_terminal_for(settings.output, "a tensor stream");
    settle_precision();
    if (settings.device == NN_CPU)
        cli_enter_sandbox();
    nn_reuse_memory();
    struct model *model = open_model(settings.model ? settings.model : default_model(), hash);
    settle_what(model);
    if (settings.size_model)
        open_size_model(settings.size_model);
    const struct stream_author author = {
        .program = program.name, .arguments = cli_command_line(), .weights = hash};
    const struct tiles_options how = {.device = settings.device,
                                      .batch = (size_t)settings.batch,
                                      .keep_image = settings.keep_image,
                                      .ranges = settings.ranges,
                                      .rescale = settings.rescale == RESCALE_AUTO,
                                      .what = settings.what,
                                      .progress = cli_progress};
    if (relay_open(&relay, input, settings.output, &author, 2 * how.batch, &err) ||
        tiles_predict(model, &how, relay, &err))
        cli_die_err(&err);
    int result = relay_finish(relay, &err);
    if (result < 0)
        cli_die_err(&err);
    if (result > 0)
        cli_warn_err(&err);
    model_free(model);
    return cli_finish(result ? STATUS_SOME_FAILED : STATUS_OK);
}
