/* Losses, objectives, outliers: golden values, gradients, and what the paper says. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"
#include "train/loss.h"
#include "train/vos.h"

enum { B = 3, K = 2, H = 64, W = 48, PIXELS = B * H * W };

static struct err err;
static float logits_data[B * K * H * W], synthetic_data[B * K * H * W];
static uint8_t labels[PIXELS];

/* ---- the formulas of golden/make_weights.py ---- */

static double u01(uint64_t seed, uint64_t i)
{
    uint64_t x = (i + 1) * 0x9E3779B97F4A7C15u + seed * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    return (double)(x >> 40) / (1 << 24);
}

static float image_at(int i, int j, int y, int x, int seed)
{
    double r = u01((uint64_t)(1000 + seed + 17 * i + 5 * j), (uint64_t)(y * W + x));
    return (float)(0.5 + 0.3 * sin(x / 9.0 + i + seed) * cos(y / 13.0 + j) + 0.2 * (r - 0.5));
}

static void make_inputs(void)
{
    for (int i = 0; i < B; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                labels[(i * H + y) * W + x] = image_at(i, 0, y, x, 9) > 0.5f;
                for (int j = 0; j < K; j++) {
                    int at = ((i * K + j) * H + y) * W + x;
                    logits_data[at] = (image_at(i, j, y, x, 3) - 0.5f) * 6;
                    synthetic_data[at] = logits_data[at] + (image_at(i, j, y, x, 4) - 0.5f);
                }
            }
}

static nn_tensor *leaf(const float *data)
{
    nn_tensor *x = nn_from_host(data, DTYPE_F32, 4, (int64_t[]){B, K, H, W});
    if (nn_require_gradient_(x, true))
        printf("# %s\n", nn_error());
    return x;
}

static nn_tensor *target(void)
{
    return nn_to_dtype(nn_from_host(labels, DTYPE_U8, 3, (int64_t[]){B, H, W}), DTYPE_I64);
}

static double item(const nn_tensor *x)
{
    double value = NAN;
    return nn_item(x, &value) ? NAN : value;
}

static double norm(const nn_tensor *x)
{
    return sqrt(item(nn_sum(nn_square(x))));
}

static double number(const json_t *json, const char *name)
{
    return json_number_value(json_object_get(json, name));
}

/* ---- golden losses ---- */

static void check_objective(const json_t *results, const char *name, const char *loss)
{
    const json_t *expected = json_object_get(results, name);
    struct loss_options options = {0};
    struct loss_result result;
    nn_tensor *by[2], *gradients[2];
    if (nn_scope_begin() || loss_objective_parse(&options.objective, loss, &err)) {
        ok(false, "%s", name);
        return;
    }
    by[0] = leaf(logits_data);
    by[1] = leaf(synthetic_data);
    struct loss_input input = {.logits = by[0], .target = target(), .synthetic = by[1]};
    if (!ok(!loss_objective_of(&options, &input, &result, &err) &&
                !nn_gradients_of(result.total, by, 2, false, gradients),
            "%s", name))
        return;
    is_near(item(result.total), number(expected, "value"), 2e-6, "value");
    is_near(norm(gradients[0]) / number(expected, "grad_norm_logits"), 1, 1e-5, "by logits");
    is_near(norm(gradients[1]) / number(expected, "grad_norm_synthetic"), 1, 1e-5, "by synthetic");
    nn_scope_end();
}

static void check_terms(const json_t *expected)
{
    if (nn_scope_begin())
        return;
    nn_tensor *x = leaf(logits_data), *s = leaf(synthetic_data), *t = target();
    is_near(item(loss_ce(x, t)), number(expected, "ce"), 1e-6, "cross entropy");
    is_near(item(loss_dice(x, t)), number(expected, "dice"), 1e-6, "Dice");
    is_near(item(loss_ce(s, t)), number(expected, "ce_out"), 1e-6, "cross entropy of outliers");
    is_near(item(loss_dice(s, t)), number(expected, "dice_out"), 1e-6, "Dice of outliers");
    nn_scope_end();
}

/* ---- flows ---- */

static float flow_data[B * 2 * H * W], answer_data[B * (K + 2) * H * W];

/* Two images of three teach flows. */
static const float taught_data[B] = {1, 0, 1};

static double flow_by_hand(const float *flows)
{
    double sum = 0;
    for (int i = 0; i < B * 2 * H * W; i++) {
        double lack = (double)flows[i] - 5 * (double)flow_data[i];
        sum += taught_data[i / (2 * H * W)] * lack * lack;
    }
    return sum / 2 / (2 * 2 * H * W);
}

static void make_flows(void)
{
    for (int i = 0; i < B * 2 * H * W; i++)
        flow_data[i] = (float)sin(i / 50.0);
    for (int i = 0; i < B * (K + 2) * H * W; i++)
        answer_data[i] = (float)cos(i / 31.0) + 0.01f * (float)(i % 7);
}

/* An answer of classes and flows, as a network with both gives it. */
static struct loss_input flow_input(nn_tensor **answer)
{
    *answer = nn_from_host(answer_data, DTYPE_F32, 4, (int64_t[]){B, K + 2, H, W});
    if (nn_require_gradient_(*answer, true))
        printf("# %s\n", nn_error());
    return (struct loss_input){
        .logits = nn_narrow(*answer, 1, 0, K),
        .target = target(),
        .flows = nn_narrow(*answer, 1, K, 2),
        .flow_target = nn_from_host(flow_data, DTYPE_F32, 4, (int64_t[]){B, 2, H, W}),
        .taught = nn_from_host(taught_data, DTYPE_F32, 4, (int64_t[]){B, 1, 1, 1}),
        .answer = *answer};
}

static double expected_flow(void)
{
    static float flows[B * 2 * H * W];
    for (int i = 0; i < B; i++)
        memcpy(flows + i * 2 * H * W, answer_data + (i * (K + 2) + K) * H * W,
               2 * H * W * sizeof *flows);
    return flow_by_hand(flows);
}

static void check_flow_objective(const char *loss)
{
    struct loss_options options = {0};
    struct loss_result r;
    nn_tensor *answer, *gradient;
    if (nn_scope_begin() || loss_objective_parse(&options.objective, loss, &err))
        return;
    struct loss_input input = flow_input(&answer);
    if (ok(!loss_objective_of(&options, &input, &r, &err) &&
               !nn_gradients_of(r.total, &answer, 1, false, &gradient),
           "%s with flows", loss)) {
        double sum = 0;
        for (int i = 0; i < LOSS_TERMS; i++)
            sum += r.weight[i] * r.value[i];
        is_near(r.value[LOSS_FLOW] / expected_flow(), 1, 1e-5, "the flow's term");
        is_near(item(r.total) / sum, 1, 1e-5, "the weighted sum of three");
        ok(r.weight[LOSS_FLOW] > 0 || options.objective == LOSS_MGDA, "flows count");
        nn_tensor *untaught = nn_narrow(nn_narrow(gradient, 0, 1, 1), 1, K, 2);
        ok(norm(untaught) == 0 && norm(nn_narrow(gradient, 1, K, 2)) >= 0,
           "an image that teaches no flows has no gradient there");
    }
    nn_scope_end();
}

static void check_flows(void)
{
    static const char *const losses[] = {"balance", "norm", "pareto", "mgda"};
    make_flows();
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        check_flow_objective(losses[i]);
}

static double quadratic(const double *gram, const double *a)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            sum += a[i] * a[j] * gram[i * 4 + j];
    return sum;
}

static void check_mgda(const json_t *results)
{
    const json_t *rows = json_object_get(results, "mgda_gram");
    const json_t *slow = json_object_get(results, "mgda_min_norm_weights");
    double gram[16], theirs[4], ours[4], sum = 0;
    for (size_t i = 0; i < 4; i++) {
        theirs[i] = json_number_value(json_array_get(slow, i));
        for (size_t j = 0; j < 4; j++)
            gram[i * 4 + j] = json_number_value(json_array_get(json_array_get(rows, i), j));
    }
    loss_min_norm(gram, 4, ours);
    for (int i = 0; i < 4; i++)
        sum += ours[i];
    is_near(sum, 1, 1e-12, "mgda: weights add up to 1");
    ok(quadratic(gram, ours) <= quadratic(gram, theirs) * (1 + 1e-9) &&
           fmin(fmin(ours[0], ours[1]), fmin(ours[2], ours[3])) >= 0,
       "mgda: no larger than the slow solver's %.6g", quadratic(gram, theirs));
    double same[16];
    for (int i = 0; i < 16; i++)
        same[i] = 1;
    loss_min_norm(same, 4, ours);
    is_near(quadratic(same, ours), 1, 1e-9, "mgda: four equal gradients");
}

static void check_losses(const char *path)
{
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);
    const json_t *results = json_object_get(json, "results");
    check_terms(json_object_get(results, "terms"));
    check_objective(results, "balance_released", "balance:released");
    check_objective(results, "balance_equal", "balance");
    check_objective(results, "norm_eq17", "norm");
    check_objective(results, "pareto_eq18", "pareto");
    check_objective(results, "pareto_released_sum", "pareto:released");
    check_mgda(results);
    check_flows();
    json_decref(json);
}

/* ---- golden Gaussians ---- */

static float rows_data[PIXELS * K];

static void make_rows(void)
{
    for (int i = 0; i < PIXELS; i++)
        for (int j = 0; j < K; j++)
            rows_data[i * K + j] = logits_data[((i / (H * W)) * K + j) * H * W + i % (H * W)];
}

static void check_gaussians(const char *path)
{
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);
    struct gaussians g;
    ok(!gaussians_fit(&g, rows_data, labels, PIXELS, K, 0, &err), "Gaussians");
    double worst = 0;
    for (size_t a = 0; a < K; a++)
        for (size_t b = 0; b < K; b++) {
            const json_t *mean = json_array_get(json_object_get(json, "mean"), a);
            const json_t *covariance = json_array_get(json_object_get(json, "covariance"), a);
            worst = fmax(worst, fabs(g.mean[a][b] - json_number_value(json_array_get(mean, b))));
            worst = fmax(
                worst, fabs(g.covariance[a][b] - json_number_value(json_array_get(covariance, b))));
        }
    ok(worst < 1e-7, "means and covariance, equations (7) and (8): %.2g", worst);
    worst = 0;
    static double densities[2][2000];
    for (int k = 0; k < 2; k++) {
        const json_t *expected = json_object_get(json, k ? "logpdf_class1" : "logpdf_class0");
        for (size_t i = 0; i < 2000; i++) {
            double v[2] = {4 * (2 * u01(77, i) - 1), 4 * (2 * u01(78, i) - 1)};
            densities[k][i] = gaussians_log_density(&g, k, v);
            double there = json_number_value(json_array_get(expected, i));
            worst = fmax(worst, fabs(densities[k][i] - there) / (1 + fabs(there)));
        }
    }
    ok(worst < 1e-6, "log densities, equation (9): %.2g", worst);
    const json_t *lowest = json_object_get(json, "lowest20_class1");
    int least = 0;
    for (size_t i = 0; i < json_array_size(lowest); i++) {
        double there = densities[1][json_integer_value(json_array_get(lowest, i))];
        size_t below = 0;
        for (size_t j = 0; j < 2000; j++)
            below += densities[1][j] < there;
        least += below == i;
    }
    is_int(least, 20, "the twenty least likely candidates, in order");
    json_decref(json);
}

/* ---- outliers ---- */

static struct vos *new_vos(enum vos_mode mode, int64_t select)
{
    struct vos_options o = {mode, 5000, select, 4000, 0.01};
    struct vos *vos = NULL;
    if (vos_new(&vos, &o, K, &err))
        printf("# %s\n", err.message);
    return vos;
}

/* Replaced pixels: how many of each class, and how unlikely. */
static void check_by_class(void)
{
    struct vos *vos = new_vos(VOS_CLASS, 500);
    struct rng rng = rng_new(1, "outliers");
    nn_tensor *synthetic, *by[1], *gradients[1];
    if (nn_scope_begin())
        return;
    by[0] = leaf(logits_data);
    for (int i = 0; i < 12; i++) /* fills the queues of 4000 by 400 a step */
        if (vos_step(vos, by[0], labels, &rng, NULL, &err))
            printf("# %s\n", err.message);
    ok(!vos_step(vos, by[0], labels, &rng, &synthetic, &err), "outliers by class");
    static float out[B * K * H * W];
    ok(!nn_to_host(synthetic, out, DTYPE_F32, sizeof out), "have the logits' shape");
    struct gaussians g;
    ok(!vos_gaussians(vos, &g, &err), "Gaussians of the queues");
    int replaced[2] = {0};
    double likeliest = -INFINITY;
    for (int i = 0; i < PIXELS; i++) {
        int at = (i / (H * W)) * K * H * W + i % (H * W);
        double v[2] = {out[at], out[at + H * W]};
        if (out[at] == logits_data[at] && out[at + H * W] == logits_data[at + H * W])
            continue;
        replaced[labels[i]]++;
        likeliest = fmax(likeliest, gaussians_log_density(&g, labels[i], v));
    }
    is_int(replaced[0], 500, "as many pixels of class 0 as selected");
    is_int(replaced[1], 500, "as many pixels of class 1");
    double middle = gaussians_log_density(&g, 0, g.mean[0]);
    ok(likeliest < middle - 1.8, "all unlikely: |z|^2 of the rarest tenth, %.3g below the mean",
       middle - likeliest);
    /* the replaced pixels alone must teach the network something */
    nn_tensor *moved = nn_sum(nn_square(nn_sub(synthetic, nn_detach(by[0]))));
    bool taught = !nn_gradients_of(moved, by, 1, false, gradients);
    double size = taught ? norm(gradients[0]) : 0;
    ok(size > 1e-3, "gradients reach the logits through mean and covariance: %.3g", size);
    nn_scope_end();
    vos_free(vos);
}

/* How many pixels of a class were replaced in an image; *likeliest grows with their density. */
static int replaced_in(const float *out, int image, int label, const struct gaussians *g,
                       double *likeliest)
{
    int count = 0;
    for (int i = 0; i < H * W; i++) {
        int at = image * K * H * W + i;
        double v[2] = {out[at], out[at + H * W]};
        if (labels[image * H * W + i] != label ||
            (out[at] == logits_data[at] && out[at + H * W] == logits_data[at + H * W]))
            continue;
        count++;
        *likeliest = fmax(*likeliest, gaussians_log_density(g, label, v));
    }
    return count;
}

/* Equation (9) to the letter, in each image. */
static void check_epsilon(void)
{
    struct vos_options o = {VOS_CLASS, 5000, 40, 4000, 0.01, .per = VOS_PER_IMAGE};
    struct rng rng = rng_new(4, "outliers");
    static float out[B * K * H * W];
    struct vos *vos = NULL;
    struct gaussians g;
    nn_tensor *synthetic;
    for (int with = 0; with < 2; with++) {
        double likeliest = -INFINITY;
        bool right = true;
        o.epsilon = with ? 0.01 : 0;
        if (nn_scope_begin() || vos_new(&vos, &o, K, &err))
            return;
        ok(!vos_step(vos, leaf(logits_data), labels, &rng, &synthetic, &err) &&
               !nn_to_host(synthetic, out, DTYPE_F32, sizeof out) && !vos_gaussians(vos, &g, &err),
           with ? "outliers below epsilon" : "outliers by image");
        for (int i = 0; i < B * K; i++)
            right = right && replaced_in(out, i / K, i % K, &g, &likeliest) == 40;
        ok(right, "as many as selected, of each class in each image");
        ok(likeliest < log(0.01) + 1e-3 && (likeliest < log(0.005)) == !with,
           "densities below %.4g", exp(likeliest));
        vos_free(vos);
        nn_scope_end();
    }
    o.epsilon = 1e-300;
    if (nn_scope_begin() || vos_new(&vos, &o, K, &err))
        return;
    ok(!vos_step(vos, leaf(logits_data), labels, &rng, &synthetic, &err) &&
           !nn_to_host(synthetic, out, DTYPE_F32, sizeof out) &&
           memcmp(out, logits_data, sizeof out) == 0,
       "with an epsilon that no candidate is below nothing is replaced");
    vos_free(vos);
    nn_scope_end();
}

/* Mean and covariance are differentiated as they are computed: against differences. */
static void check_gradient(void)
{
    enum { N = 4 * 4 };
    struct vos_options o = {VOS_CLASS, 50, 5, 1000, 0.01};
    uint8_t mask[N];
    float x[N * K];
    struct rng noise = rng_new(3, NULL);
    for (int i = 0; i < N; i++)
        mask[i] = (uint8_t)(i % 3 == 0);
    for (int i = 0; i < N * K; i++)
        x[i] = (float)rng_normal(&noise);
    double value[3], slope = NAN;
    for (int d = 0; d < 3; d++) {
        struct vos *vos = NULL;
        struct rng rng = rng_new(4, NULL);
        nn_tensor *synthetic = NULL, *by[1], *gradients[1];
        float moved[N * K];
        memcpy(moved, x, sizeof x);
        moved[5] += d == 1 ? 1e-2f : d == 2 ? -1e-2f : 0;
        if (nn_scope_begin() || vos_new(&vos, &o, K, &err))
            return;
        by[0] = nn_from_host(moved, DTYPE_F32, 4, (int64_t[]){1, K, 4, 4});
        if (nn_require_gradient_(by[0], true) || vos_step(vos, by[0], mask, &rng, &synthetic, &err))
            printf("# %s\n", err.message);
        nn_tensor *sum = nn_sum(nn_square(synthetic));
        value[d] = item(sum);
        float gradient[N * K];
        if (d == 0 && !nn_gradients_of(sum, by, 1, false, gradients) &&
            !nn_to_host(gradients[0], gradient, DTYPE_F32, sizeof gradient))
            slope = gradient[5];
        vos_free(vos);
        nn_scope_end();
    }
    double difference = (value[1] - value[2]) / 2e-2;
    is_near(slope / difference, 1, 2e-2, "the gradient agrees with differences");
}

static void check_released(void)
{
    struct vos *vos = new_vos(VOS_RELEASED, 300);
    struct rng rng = rng_new(1, "outliers");
    nn_tensor *synthetic = NULL;
    static float out[B * K * H * W];
    if (nn_scope_begin())
        return;
    ok(!vos_step(vos, leaf(logits_data), labels, &rng, &synthetic, &err) &&
           !nn_to_host(synthetic, out, DTYPE_F32, sizeof out),
       "outliers as released");
    int rows = 0, halves = 0;
    for (int i = 0; i < B * K * H * W; i += K) {
        int changed = (out[i] != logits_data[i]) + (out[i + 1] != logits_data[i + 1]);
        rows += changed == 2;
        halves += changed == 1;
    }
    ok(rows == 300 && halves == 0, "rows of the memory are replaced: %d", rows);
    nn_scope_end();
    vos_free(vos);
}

/* Three classes, one of them absent from the batch. */
static void check_absent_class(void)
{
    enum { N = 16 * 16 };
    struct vos_options o = {VOS_CLASS, 200, 100, 100, 0.01};
    struct vos *vos = NULL;
    static float x[3 * N];
    static uint8_t mask[N];
    struct rng rng = rng_new(5, NULL);
    for (int i = 0; i < N; i++)
        mask[i] = i < 7 ? 2 : 0;
    for (int i = 0; i < 3 * N; i++)
        x[i] = (float)rng_normal(&rng);
    nn_tensor *synthetic = NULL;
    if (nn_scope_begin() || vos_new(&vos, &o, 3, &err))
        return;
    nn_tensor *logits = nn_from_host(x, DTYPE_F32, 4, (int64_t[]){1, 3, 16, 16});
    ok(!vos_step(vos, logits, mask, &rng, &synthetic, &err) && isfinite(norm(synthetic)),
       "three classes, one absent, one rare");
    nn_scope_end();
    vos_free(vos);
}

int main(void)
{
    tap_plan(69);
    make_inputs();
    make_rows();
    check_losses("tests/golden/losses.json");
    check_gaussians("tests/golden/vos.json");
    check_by_class();
    check_epsilon();
    check_gradient();
    check_released();
    check_absent_class();
    return tap_done();
}
