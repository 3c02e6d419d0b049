/* Cellpose's size model: the fit, files, and what it refuses. */
#include "predict/size_model.h"

#include <stdlib.h>

#include "core/rng.h"
#include "tests/tap.h"

enum { WIDTH = 5, COUNT = 40 };

static struct err err;
static float styles[COUNT * WIDTH];
static double diameters[COUNT];

/* Diameters of 30 times the exponential of a linear function of the style. */
static void make_data(double noise)
{
    static const double slope[WIDTH] = {1, -0.5, 0.25, 0, 2};
    struct rng rng = rng_new(1, "styles");
    for (int k = 0; k < COUNT; k++) {
        double sum = 0.1 + noise * rng_between(&rng, -1, 1);
        for (int i = 0; i < WIDTH; i++) {
            styles[k * WIDTH + i] = (float)rng_between(&rng, -0.3, 0.3);
            sum += slope[i] * (double)styles[k * WIDTH + i];
        }
        diameters[k] = 30 * exp(sum);
    }
}

/* How far (X'X + 1) A is from X'y, the equation that A solves. */
static double residual(const struct size_model *m)
{
    double worst = 0;
    for (int i = 0; i < WIDTH; i++) {
        double sum = -m->a[i];
        for (int k = 0; k < COUNT; k++) {
            double error = log(diameters[k] / 30) - m->ymean;
            for (int j = 0; j < WIDTH; j++)
                error -= m->a[j] * ((double)styles[k * WIDTH + j] - m->smean[j]);
            sum += ((double)styles[k * WIDTH + i] - m->smean[i]) * error;
        }
        worst = fmax(worst, fabs(sum));
    }
    return worst;
}

static void test_fit(void)
{
    struct size_model m;
    make_data(0.2);
    if (!ok(!size_model_fit(&m, styles, diameters, COUNT, WIDTH, 30, &err), "a fit"))
        return;
    is_near(residual(&m), 0, 1e-12, "solves the normal equations");
    double mean = 0;
    for (int k = 0; k < COUNT; k++)
        mean += log(diameters[k] / 30) / COUNT;
    is_near(m.ymean, mean, 1e-12, "the mean logarithm");
    ok(m.a[4] > m.a[0] && m.a[0] > 0 && m.a[1] < 0, "the slopes' signs and order");
    float small[WIDTH] = {0, 0, 0, 0, -9}, none[WIDTH] = {NAN};
    is_near(size_model_diameter(&m, small), 5, 0, "at least 5 pixels");
    is_near(size_model_diameter(&m, none), 30, 0, "the mean for a style of no numbers");
    size_model_free(&m);
    ok(size_model_fit(&m, styles, diameters, 0, WIDTH, 30, &err) && err.status == STATUS_DATA,
       "nothing to fit");
}

static void test_files(void)
{
    static char path[] = "/tmp/size-model-XXXXXX";
    struct size_model m, read;
    struct weights w = {0}, back;
    make_data(0);
    if (mkstemp(path) < 0 || size_model_fit(&m, styles, diameters, COUNT, WIDTH, 17, &err))
        return;
    ok(!size_model_add(&m, &w, CELLPOSE_SIZE_PREFIX, &err) && !weights_write(&w, path, &err),
       "written");
    if (!ok(!weights_read(&back, path, &err) && size_model_in(&back, CELLPOSE_SIZE_PREFIX) &&
                !size_model_in(&back, "") &&
                !size_model_read(&read, &back, CELLPOSE_SIZE_PREFIX, &err),
            "and read"))
        return;
    double apart = 0;
    for (int k = 0; k < COUNT; k++)
        apart = fmax(apart, fabs(size_model_diameter(&m, styles + k * WIDTH) -
                                 size_model_diameter(&read, styles + k * WIDTH)));
    is_near(apart, 0, 1e-4, "it estimates the same");
    is_near(read.diam_mean, 17, 0, "the mean diameter");
    size_model_free(&read);
    size_model_free(&m);
    weights_free(&w);
    weights_free(&back);
    remove(path);
}

/* A file whose arrays have these lengths and this value. */
static void refuses(size_t a, size_t smean, size_t ymean, double diam_mean, const char *reason)
{
    double values[4] = {diam_mean, 0, 0, 0};
    struct weights w = {0};
    struct size_model m;
    struct array arrays[] = {
        array_view(DTYPE_F64, 1, &a, values + 1), array_view(DTYPE_F64, 1, &smean, values + 1),
        array_view(DTYPE_F64, 1, &ymean, values + 1), array_view(DTYPE_F64, 0, NULL, values)};
    static const char *const names[] = {"A", "smean", "ymean", "diam_mean"};
    for (int i = 0; i < 4; i++)
        if (weights_add(&w, names[i], &arrays[i], &err))
            exit(1);
    bool refused = size_model_read(&m, &w, "", &err) && err.status == STATUS_DATA;
    if (!ok(refused && strstr(err.message, reason), "refused: %s", reason))
        printf("# %s\n", refused ? err.message : "read");
    weights_free(&w);
}

int main(void)
{
    tap_plan(16);
    test_fit();
    test_files();
    refuses(3, 2, 1, 30, "without 'smean' of 3 elements");
    refuses(0, 0, 1, 30, "no 'A'");
    refuses(2, 2, 2, 30, "without 'ymean' of 1");
    refuses(2, 2, 1, NAN, "not finite");
    refuses(2, 2, 1, 0, "not above 0");
    return tap_done();
}
