/* Every network against the output of its published implementation, on the same
 * weights (once through a file of ours) and input: as it trains (layer by layer), and prepared for
 * inference in float32 and bfloat16.  The weights are large and made anew for each case.
 *
 * golden [CASE...]: only those */
#include <stdlib.h>
#include <unistd.h>

#include "model/model.h"
#include "stream/npy.h"
#include "tests/files.h"
#include "tests/tap.h"

#define GOLDEN    "tests/golden"
#define SLOW_BF16 1 /* too much time without bfloat16 instructions, or no plan: float32 only */

static const struct golden {
    const char *name, *architecture;
    int flags;
} cases[] = {
    {"transunet-r50-b16-skip0", "transunet-r50-b16:skips=0", 0},
    {"transunet-r50-b16-skip3", "transunet-r50-b16:skips=3", 0},
    {"transunet-vit-b16", "transunet-vit-b16", 0},
    {"transunet-vit-l16", "transunet-vit-l16", 0},
    {"transunet-r50-l32-skip0", "transunet-r50-l32:skips=0", 0},
    {"unetpp", "unetpp", 0},
    {"unetpp-ds", "unetpp:ds=1", 0},
    {"swinunet", "swinunet", 0},
    {"scaleformer", "scaleformer", 0},
    {"cellpose", "cellpose", 0},
    {"npz-r50-b16", "transunet-r50-b16", SLOW_BF16},
    {"npz-vit-b16-grid24", "transunet-vit-b16", SLOW_BF16},
};

static char folder[] = "/tmp/morphoseg-golden-XXXXXX";
static struct err err;

static const char *in_folder(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* ---- files ---- */

static int read_npy(struct array *array, const char *path)
{
    size_t room = 64u << 20;
    unsigned char *bytes = aligned_alloc(64, room);
    size_t size = bytes ? get_file(path, bytes, room) : 0;
    if (size == 0 || npy_adopt(array, bytes, size, &err)) {
        free(bytes);
        return -1;
    }
    return 0;
}

static bool make_files(const struct golden *c)
{
    char command[1000];
    snprintf(command, sizeof command,
             "/usr/bin/python3 -B " GOLDEN "/make_weights.py " GOLDEN "/%s.json '%s'", c->name,
             folder);
    return system(command) == 0;
}

static void remove_files(void)
{
    static const char *const names[] = {"weights.safetensors", "input.npy", "init.npz"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(names[i]));
}

static nn_tensor *tensor_of(const struct array *array)
{
    int64_t shape[ARRAY_MAX_DIMS];
    for (int i = 0; i < array->ndim; i++)
        shape[i] = (int64_t)array->shape[i];
    return nn_from_host(array->data, array->dtype, array->ndim, shape);
}

/* ---- comparison ---- */

static double item(const nn_tensor *x)
{
    double value = NAN;
    return nn_item(x, &value) ? NAN : value;
}

/* ||y - r|| / ||r - mean(r)|| */
static double relative_error(const nn_tensor *y, const nn_tensor *r)
{
    double difference = item(nn_sum(nn_square(nn_sub(y, r))));
    double spread = item(nn_sum(nn_square(nn_sub(r, nn_mean(r)))));
    return sqrt(difference / spread);
}

static double same_argmax(const nn_tensor *y, const nn_tensor *r)
{
    nn_tensor *same = nn_compare_to(nn_argmax(y, 1), NN_EQ, nn_argmax(r, 1));
    return item(nn_mean(nn_to_dtype(same, DTYPE_F32)));
}

static void check_forward(struct model *model, const nn_tensor *x, const nn_tensor *expected,
                          const char *how, double tolerance, double same)
{
    struct model_output out;
    if (nn_scope_begin() || model_forward(model, x, &out, &err)) {
        ok(false, "%s: %s", how, err.message);
        return;
    }
    double error = relative_error(out.logits, expected), pixels = same_argmax(out.logits, expected);
    ok(error < tolerance && pixels >= same, "%s %s: error %.2g, %.4g %% of pixels the same",
       model_architecture(model), how, error, 100 * pixels);
    nn_scope_end();
}

static void check_ways(struct model *model, const nn_tensor *x, const nn_tensor *expected,
                       int flags)
{
    bool gradients = nn_set_gradients(false);
    check_forward(model, x, expected, "layer by layer", 1e-4, 0.999);
    nn_set_gradients(gradients);
    if (ok(!model_prepare(model, NN_CPU, DTYPE_F32, &err), "prepared"))
        check_forward(model, x, expected, "prepared", 1e-4, 0.999);
    if (flags & SLOW_BF16)
        return;
    if (!nn_has_fast_bf16(NN_CPU)) {
        tap_skip("bfloat16: no AVX512_BF16");
        tap_skip("bfloat16: no AVX512_BF16");
    } else if (ok(!model_prepare(model, NN_CPU, DTYPE_BF16, &err), "prepared for bfloat16"))
        check_forward(model, x, expected, "bfloat16", 1.5e-1, 0.99);
}

/* ---- cases ---- */

static int load_npz(struct model *model)
{
    struct weights npz;
    if (weights_read(&npz, in_folder("init.npz"), &err))
        return -1;
    int failed = model_load_npz(model, &npz, &err);
    weights_free(&npz);
    return failed;
}

/* The same model from a file of our own, which says what it is. */
static struct model *written_and_read(struct model *model, const char *name)
{
    char path[400]; /* of each case: no program replaces what it has read */
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    struct weights weights = {0};
    struct model *again = NULL;
    int failed = model_export(model, &weights, &err) || weights_write(&weights, path, &err);
    model_free(model);
    weights_free(&weights);
    failed = failed || weights_read(&weights, path, &err);
    unlink(path);
    if (failed)
        return NULL;
    if (model_open(&again, &weights, NULL, &err))
        again = NULL;
    weights_free(&weights);
    return again;
}

static struct model *load(const struct golden *c)
{
    struct weights weights;
    struct model *model = NULL;
    if (weights_read(&weights, in_folder("weights.safetensors"), &err))
        return NULL;
    if (model_open(&model, &weights, c->architecture, &err))
        model = NULL;
    weights_free(&weights);
    if (model && strncmp(c->name, "npz-", 4) == 0 && load_npz(model)) {
        model_free(model);
        return NULL;
    }
    return model ? written_and_read(model, c->name) : NULL;
}

static void check_case(const struct golden *c)
{
    char path[500];
    struct weights expected = {0};
    struct array input = {0};
    snprintf(path, sizeof path, GOLDEN "/%s.npz", c->name);
    if (!make_files(c) || weights_read(&expected, path, &err) ||
        read_npy(&input, in_folder("input.npy"))) {
        ok(false, "%s: cannot make or read its files: %s", c->name, err.message);
        return;
    }
    struct model *model = load(c);
    const struct array *output = weights_find(&expected, "output");
    if (ok(model && output && !nn_scope_begin(), "%s loads: %s", c->name,
           model ? "" : err.message)) {
        check_ways(model, tensor_of(&input), tensor_of(output), c->flags);
        nn_scope_end();
    }
    model_free(model);
    array_free(&input);
    weights_free(&expected);
    remove_files();
}

static bool is_chosen(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc < 2;
}

int main(int argc, char **argv)
{
    int checks = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (is_chosen(cases[i].name, argc, argv))
            checks += cases[i].flags & SLOW_BF16 ? 4 : 6;
    tap_plan(checks);
    if (!mkdtemp(folder) || nn_set_threads(0))
        return 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (is_chosen(cases[i].name, argc, argv))
            check_case(&cases[i]);
    rmdir(folder);
    return tap_done();
}
