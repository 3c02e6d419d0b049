/* Topological consistency with a teacher: its gradient, and what it does to wrong
 * components that the labels say nothing about. */
#include <stdlib.h>

#include "model/model.h"
#include "tests/tap.h"
#include "train/persistence.h"
#include "train/toposeg.h"

static struct err err;

static int measure(const float *student, const float *teacher, size_t height, size_t width,
                   double *loss, float *gradient, void *data, struct err *e)
{
    return topology_loss(student, teacher, height, width, data, loss, gradient, e);
}

static struct topology_options topology = {
    .patch = 100, .threshold = 0.7f, .matching = WASSERSTEIN_1_MAX};

static double item(const nn_tensor *x)
{
    double value = NAN;
    return nn_item(x, &value) ? NAN : value;
}

static bool has_teacher(const char *architecture)
{
    struct model_traits traits = {0};
    return model_find_traits(architecture, &traits, &err) == 0 && traits.has_teacher;
}

static void test_names(void)
{
    struct model *model;
    ok(has_teacher("toposeg-r50-b16:skips=0") && has_teacher("toposeg-vit-b16") &&
           !has_teacher("transunet-r50-b16"),
       "the architectures that have a teacher");
    ok(toposeg_ramp(1) == 1 && toposeg_ramp(2) == 1 && fabs(toposeg_ramp(0) - exp(-5)) < 1e-12,
       "the ramp rises from exp(-5) to 1");
    const char *small = "toposeg-r50-b16:skips=0,width=8,hidden=24,depth=1,decoder=32";
    if (ok(!model_new(&model, small, 2, 1, &err), "toposeg-r50-b16 is an architecture"))
        model_free(model);
    if (ok(!model_new(&model, "toposeg-vit-b16:hidden=24,depth=1,decoder=32", 2, 1, &err),
           "toposeg-vit-b16 is an architecture"))
        model_free(model);
}

/* ---- the gradient ---- */

static double value_at(nn_tensor *student, const nn_tensor *teacher,
                       const struct toposeg_options *options)
{
    struct toposeg_result result;
    return toposeg_loss(student, teacher, options, &result, &err) ? NAN : item(result.total);
}

static void test_gradient(void)
{
    const int64_t shape[] = {2, 2, 20, 30};
    const struct toposeg_options options = {.topology = 1, .measure = measure, .data = &topology};
    nn_tensor *student = nn_parameter(4, shape);
    struct toposeg_result result;
    if (nn_scope_begin() || nn_seed(4) || nn_set_gradients(false) != true)
        return;
    ok(!nn_normal_(student, 0, 3), "random logits");
    nn_tensor *teacher = nn_add(student, nn_randn(4, shape, NN_CPU));
    nn_tensor *direction = nn_randn(4, shape, NN_CPU);
    nn_set_gradients(true);
    ok(!toposeg_loss(student, teacher, &options, &result, &err) && !nn_backward(result.total),
       "backward");
    is_near(item(result.total), result.topology, 1e-4, "the total is the topological part");
    ok(result.topology > 1, "which is %.4g", result.topology);
    double along = item(nn_dot(nn_gradient(student), direction));
    nn_set_gradients(false);
    const double h = 2e-4; /* few pairings change within it */
    double above = nn_add_(student, direction, h) ? NAN : value_at(student, teacher, &options);
    double below = nn_add_(student, direction, -2 * h) ? NAN : value_at(student, teacher, &options);
    is_near((above - below) / (2 * h), along, 0.05 * fabs(along), "gradient along a direction");
    nn_set_gradients(true);
    nn_scope_end();
    nn_free(student);
}

/* ---- wrong components ---- */

#define SIDE  64
#define WRONG 12

static bool is_cell(int y, int x)
{
    int dy = y - 32, left = x - 16, right = x - 48;
    return dy * dy + left * left < 100 || dy * dy + right * right < 100;
}

/* Logits of class 1 less class 0: sure of two cells, and unsure of small spots. */
static void draw(float *logit)
{
    for (int i = 0; i < SIDE * SIDE; i++)
        logit[i] = is_cell(i / SIDE, i % SIDE) ? 4 : -3;
    for (int n = 0; n < WRONG; n++) {
        int y = 5 + 48 * (n % 2), x = 3 + 5 * n;
        for (int k = 0; k < 6; k++)
            logit[(y + k / 3) * SIDE + x + k % 3] = 0.4f + 0.1f * (float)(k % 4);
    }
}

/* Components of class 1. */
static int components(const nn_tensor *logits)
{
    float likelihood[SIDE * SIDE];
    struct diagram diagram;
    nn_tensor *p = nn_select(nn_softmax(logits, 1), 1, 1);
    if (nn_to_host(p, likelihood, DTYPE_F32, sizeof likelihood) ||
        persistence_components(&diagram, likelihood, SIDE, SIDE, CONNECT_8, &err))
        return -1;
    int count = 0;
    for (size_t i = 0; i < diagram.count; i++)
        count += diagram.features[i].birth > 0.5f && diagram.features[i].death <= 0.5f;
    diagram_free(&diagram);
    return count;
}

static nn_tensor *start(void)
{
    float values[2][SIDE * SIDE] = {{0}};
    const int64_t shape[] = {1, 2, SIDE, SIDE};
    nn_tensor *logits = nn_parameter(4, shape);
    draw(values[1]);
    if (nn_copy_from_host_(logits, values, DTYPE_F32))
        return NULL;
    return logits;
}

/* Labels of the left quarter only. */
static nn_tensor *labels(void)
{
    int64_t values[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++)
        values[i] = i % SIDE < SIDE / 4 ? is_cell(i / SIDE, i % SIDE) : -1;
    return nn_from_host(values, DTYPE_I64, 3, (int64_t[]){1, SIDE, SIDE});
}

static int train(nn_tensor *logits, int steps, const struct toposeg_options *options)
{
    struct nn_optimizer *sgd = nn_sgd(&logits, 1, 0.9, 0);
    int failed = !sgd;
    for (int i = 0; i < steps && !failed; i++) {
        struct toposeg_result result;
        if (nn_scope_begin())
            return -1;
        nn_tensor *loss = nn_cross_entropy(logits, labels(), NULL, -1);
        if (options && !(failed = toposeg_loss(logits, logits, options, &result, &err)))
            loss = nn_add(loss, result.total);
        failed = failed || nn_backward(loss) || nn_optimizer_step(sgd, 1) ||
                 nn_zero_gradients(&logits, 1);
        nn_scope_end();
    }
    nn_optimizer_free(sgd);
    return failed;
}

/* The teacher is as unsure of the spots as the student: what tells them from cells
 * is their persistence. */
static void test_wrong_components(void)
{
    const struct toposeg_options options = {.topology = 1, .measure = measure, .data = &topology};
    nn_tensor *plain = start(), *consistent = start();
    if (nn_scope_begin())
        return;
    is_int(components(plain), 2 + WRONG, "components before");
    ok(!train(plain, 100, NULL) && !train(consistent, 100, &options), "trained: %s", err.message);
    int left = components(plain) - 2, wrong = abs(components(consistent) - 2);
    ok(left >= WRONG / 2, "labels alone leave %d wrong components", left);
    ok(wrong <= left / 4, "with topological consistency %d are left", wrong);
    nn_scope_end();
    nn_free(plain);
    nn_free(consistent);
}

int main(void)
{
    tap_plan(13);
    test_names();
    test_gradient();
    test_wrong_components();
    return tap_done();
}
