/* The gradient of every parameter of every network, in float64 on a tiny
 * configuration in training mode, against central differences along a random
 * direction of that parameter. */
#include <stdlib.h>

#include "model/model.h"
#include "tests/tap.h"

#define SIDE       32
#define BATCH      2
#define TOLERANCE  1e-5
#define SMALL      0.1 /* a derivative below it is compared with this instead */
#define DIRECTIONS 4

static const struct tiny {
    const char *architecture;
    int classes, channels;
} networks[] = {
    {"unetpp:width=2,levels=2", 2, 1},
    {"unetpp:width=2,levels=2,ds=1", 3, 2},
    {"unetpp:width=2,levels=2,ds=1,prune=1", 2, 1},
    {"cellpose:width=2", 3, 2},
    {"unet-s:width=8,levels=2,norm=0,flows=1", 2, 1},
    {"unetpp:width=2,levels=2,ds=1,flows=1", 2, 1},
    {"swinunet:width=4,heads=2,window=3", 2, 1},
    {"scaleformer:width=2,heads=2,size=64", 2, 1},
};

static struct err err;

struct check {
    struct model *model;
    nn_tensor *input, *weights[MODEL_MAX_OUTPUTS]; /* of the outputs in the loss */
};

static nn_tensor *normal_like(const nn_tensor *x)
{
    nn_tensor *y = nn_zeros_like(x);
    return y && !nn_normal_(y, 0, 1) ? y : NULL;
}

/* Off from what the initialization makes zero or one, so that every path counts. */
static int randomize(struct model *model)
{
    size_t count;
    struct model_parameter *p = model_parameters(model, &count);
    if (model_initialize(model, 1, &err))
        return -1;
    bool gradients = nn_set_gradients(false);
    int failed = nn_scope_begin();
    for (size_t i = 0; i < count && !failed; i++) {
        if (nn_dtype(p[i].tensor) != DTYPE_F32)
            continue;
        failed = nn_move_(p[i].tensor, NN_CPU, DTYPE_F64);
        nn_tensor *noise = normal_like(p[i].tensor);
        if (!failed && p[i].trainable)
            failed = nn_add_(p[i].tensor, noise, 0.1);
    }
    nn_scope_end();
    nn_set_gradients(gradients);
    return failed ? nn_to_err(&err, "randomize") : 0;
}

/* An output, the last with its flows. */
static nn_tensor *part_of(const struct model_output *out, int i)
{
    return i + 1 < out->count ? out->all[i] : out->answer;
}

/* Of the same dropped units each time. */
static nn_tensor *loss(struct check *check)
{
    struct model_output out;
    nn_tensor *sum = NULL;
    if (nn_seed(3) || model_forward(check->model, check->input, &out, &err))
        return NULL;
    for (int i = 0; i < out.count; i++) {
        if (!check->weights[i]) {
            bool seeded = !nn_seed(10 + (uint64_t)i);
            check->weights[i] = seeded ? nn_keep(normal_like(part_of(&out, i))) : NULL;
        }
        nn_tensor *part = nn_dot(part_of(&out, i), check->weights[i]);
        sum = sum ? nn_add(sum, part) : part;
    }
    return sum;
}

static double loss_at(struct check *check, nn_tensor *parameter, const nn_tensor *direction,
                      double step)
{
    double value = NAN;
    bool gradients = nn_set_gradients(false);
    if (nn_scope_begin() || nn_add_(parameter, direction, step) || nn_item(loss(check), &value) ||
        nn_add_(parameter, direction, -step))
        value = NAN;
    nn_scope_end();
    nn_set_gradients(gradients);
    return value;
}

/* How far the two derivatives along one direction are apart, beside the larger one. */
static double discrepancy(struct check *check, nn_tensor *parameter, const nn_tensor *gradient,
                          uint64_t seed, double step)
{
    double along = 0;
    if (nn_scope_begin() || nn_seed(seed))
        return NAN;
    nn_tensor *direction = normal_like(parameter);
    if (gradient && nn_item(nn_dot(gradient, direction), &along))
        along = NAN;
    double above = loss_at(check, parameter, direction, step);
    double below = loss_at(check, parameter, direction, -step);
    double difference = (above - below) / (2 * step);
    nn_scope_end();
    return fabs(difference - along) / fmax(fmax(fabs(along), fabs(difference)), SMALL);
}

/* The least of a few directions: a rectifier may switch within the step in one of
 * them, a wrong gradient is wrong in all. */
static double least_discrepancy(struct check *check, nn_tensor *parameter)
{
    const nn_tensor *gradient = nn_gradient(parameter);
    double least = NAN;
    for (uint64_t seed = 100; seed < 100 + DIRECTIONS && !(least <= TOLERANCE); seed++)
        least = fmin(least, discrepancy(check, parameter, gradient, seed, seed % 2 ? 1e-7 : 1e-6));
    return least;
}

static void check_parameters(struct check *check, const char *architecture)
{
    size_t count, checked = 0, without = 0;
    struct model_parameter *p = model_parameters(check->model, &count);
    double worst = 0;
    const char *where = "";
    for (size_t i = 0; i < count; i++) {
        if (!p[i].trainable)
            continue;
        double d = least_discrepancy(check, p[i].tensor);
        checked++;
        without += !nn_gradient(p[i].tensor);
        if (!(d <= worst)) {
            worst = d;
            where = p[i].name;
        }
    }
    ok(worst <= TOLERANCE, "%s: %zu parameters (%zu unused), worst %.2g at %s", architecture,
       checked, without, worst, where);
}

static void check_network(const struct tiny *tiny)
{
    struct check check = {0};
    if (model_new(&check.model, tiny->architecture, tiny->classes, tiny->channels, &err) ||
        randomize(check.model)) {
        ok(false, "%s: %s", tiny->architecture, err.message);
        model_free(check.model);
        return;
    }
    model_set_training(check.model, true);
    int64_t shape[] = {BATCH, tiny->channels, SIDE, SIDE};
    if (!nn_scope_begin()) {
        check.input = nn_to_dtype(nn_rand(4, shape, NN_CPU), DTYPE_F64);
        if (ok(!nn_backward(loss(&check)), "%s: backward", tiny->architecture))
            check_parameters(&check, tiny->architecture);
        nn_scope_end();
    }
    for (int i = 0; i < MODEL_MAX_OUTPUTS; i++)
        nn_free(check.weights[i]);
    model_free(check.model);
}

int main(int argc, char **argv)
{
    tap_plan(16);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (argc < 2 || strcmp(argv[1], networks[i].architecture) == 0)
            check_network(&networks[i]);
    return tap_done();
}
