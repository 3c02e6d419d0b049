/* 3 x 3 convolutions of our own against the definition in double precision: every level
 * of the processor, sizes beside those of tiles and vectors, edges, the sum, the turned
 * weights of a gradient. */
#include <stdlib.h>

#include "core/rng.h"
#include "nn/kernels.h"
#include "nn/nn.h"
#include "tests/levels.h"

enum { IMAGES = 2 };

struct sizes {
    size_t height, width, in, out, pad;
};

static float x[IMAGES * 13 * 18 * 272], y[IMAGES * 16 * 20 * 72], sum[IMAGES * 16 * 20 * 72];
static float weights[272 * 72 * 9], bias[72];

static void fill(float *to, size_t n, struct rng *rng, double spread)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)rng_between(rng, -spread, spread);
}

/* Weight of output o and input c; turned weights lie as those of the other direction. */
static double weight_at(const struct sizes *s, bool turned, size_t o, size_t c, size_t i)
{
    return turned ? weights[(c * s->out + o) * 9 + (8 - i)] : weights[(o * s->in + c) * 9 + i];
}

static double expect(const struct sizes *s, bool turned, size_t image, size_t top, size_t left,
                     size_t o)
{
    double value = 0;
    for (size_t i = 0; i < 9; i++) {
        size_t py = top + i / 3, px = left + i % 3;
        if (py < s->pad || py >= s->height + s->pad || px < s->pad || px >= s->width + s->pad)
            continue;
        const float *pixel =
            x + ((image * s->height + py - s->pad) * s->width + px - s->pad) * s->in;
        for (size_t c = 0; c < s->in; c++)
            value += pixel[c] * weight_at(s, turned, o, c, i);
    }
    return value;
}

/* The largest error, beside the root of the inputs' number. */
static double error_of(const struct sizes *s, bool turned, bool plain)
{
    size_t height = s->height + 2 * s->pad - 2, width = s->width + 2 * s->pad - 2, i = 0;
    double worst = 0;
    for (size_t image = 0; image < IMAGES; image++)
        for (size_t top = 0; top < height; top++)
            for (size_t left = 0; left < width; left++)
                for (size_t o = 0; o < s->out; o++, i++) {
                    double wanted = expect(s, turned, image, top, left, o);
                    if (!plain)
                        wanted = fmax(wanted + bias[o] + sum[i], 0);
                    double error = fabs(y[i] - wanted);
                    worst = error <= worst ? worst : error;
                }
    return y[i] == 3 ? worst / sqrt(9.0 * (double)s->in) : INFINITY; /* and nothing beyond */
}

static bool run(const struct sizes *s, bool turned, bool plain)
{
    struct kernel_conv_weights from = {weights, s->in, s->out, 9, 9 * s->in, turned};
    if (turned)
        from = (struct kernel_conv_weights){weights, s->in, s->out, 9 * s->out, 9, turned};
    float *packed = aligned_alloc(64, kernel_conv3x3_weights(s->in, s->out) * sizeof *packed);
    struct kernel_conv c = {.out = y,
                            .x = x,
                            .weights = packed,
                            .height = s->height,
                            .width = s->width,
                            .in = s->in,
                            .out_channels = s->out,
                            .pad_h = s->pad,
                            .pad_w = s->pad};
    if (!plain)
        c.bias = bias, c.residual = sum, c.relu = true;
    size_t tiles = IMAGES * kernel_conv3x3_tiles(&c), some = 7;
    float *scratch = aligned_alloc(64, (kernel_conv3x3_scratch(&c, some) * 4 + 63) / 64 * 64);
    bool made = packed && scratch;
    for (size_t i = 0; made && i < sizeof y / sizeof *y; i++)
        y[i] = 3;
    for (size_t part = 0; made && part < kernel_conv3x3_parts(s->in, s->out); part++)
        kernel_conv3x3_pack(packed, &from, part, part + 1);
    for (size_t first = 0; made && first < tiles; first += some)
        kernel_conv3x3(&c, first, first + some < tiles ? some : tiles - first, scratch);
    free(packed);
    free(scratch);
    return made;
}

static int check_sizes(void)
{
    static const struct sizes all[] = {{1, 1, 16, 1, 1},   {2, 5, 16, 3, 1},   {4, 4, 32, 16, 1},
                                       {6, 6, 16, 24, 0},  {7, 9, 48, 33, 1},  {12, 13, 16, 8, 2},
                                       {13, 18, 32, 9, 1}, {3, 3, 272, 72, 0}, {5, 17, 272, 2, 1},
                                       {9, 10, 24, 24, 1}, {8, 7, 72, 40, 1}};
    struct rng rng = rng_new(1, "conv3x3");
    int failed = 0;
    fill(x, sizeof x / sizeof *x, &rng, 1);
    fill(weights, sizeof weights / sizeof *weights, &rng, 1);
    fill(bias, sizeof bias / sizeof *bias, &rng, 1);
    fill(sum, sizeof sum / sizeof *sum, &rng, 1);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (int how = 0; how < 4; how++) {
            bool turned = how & 1, plain = how & 2;
            double error =
                run(&all[i], turned, plain) ? error_of(&all[i], turned, plain) : INFINITY;
            if (error <= 2e-5)
                continue;
            printf("# wrong by %g: %zu x %zu, %zu to %zu, turned %d, plain %d\n", error,
                   all[i].height, all[i].width, all[i].in, all[i].out, turned, plain);
            failed++;
        }
    return failed;
}

/* ---- gradients: in float32, ours, beside float64, libtorch's ---- */

enum { PARTS = 3 }; /* input, weight, bias */

/* The result and the gradients by all of a sum that weighs the result's pixels. */
static int run_layer(nn_tensor *const *given, enum dtype dtype, struct nn_conv how,
                     nn_tensor **result, nn_tensor **gradients)
{
    nn_tensor *parts[PARTS];
    for (int i = 0; i < PARTS; i++) {
        parts[i] = nn_clone(nn_to_dtype(given[i], dtype));
        if (nn_require_gradient_(parts[i], true))
            return -1;
    }
    *result = nn_conv2d(nn_channels_last(parts[0]), parts[1], parts[2], how);
    nn_tensor *loss = nn_mean(nn_square(*result));
    return nn_gradients_of(loss, parts, PARTS, false, gradients);
}

/* The largest difference beside the largest value. */
static double difference(const nn_tensor *got, const nn_tensor *wanted)
{
    double most = 1, error = 1;
    const nn_tensor *d = nn_abs(nn_sub(nn_to_dtype(got, DTYPE_F64), wanted));
    const nn_tensor *flat = nn_reshape2(nn_abs(wanted), 1, -1);
    if (nn_item(nn_max_dim(nn_reshape2(d, 1, -1), 1, false), &error) ||
        nn_item(nn_max_dim(flat, 1, false), &most))
        return INFINITY;
    return error / most;
}

static int check_layer(const struct sizes *s)
{
    int64_t shapes[PARTS][4] = {{IMAGES, (int64_t)s->in, (int64_t)s->height, (int64_t)s->width},
                                {(int64_t)s->out, (int64_t)s->in, 3, 3},
                                {(int64_t)s->out}};
    struct nn_conv how = {.pad_h = (int)s->pad, .pad_w = (int)s->pad};
    nn_tensor *given[PARTS], *ours[PARTS], *theirs[PARTS], *result, *wanted;
    static const char *const names[] = {"input", "weight", "bias"};
    int failed = 0;
    for (int i = 0; i < PARTS; i++)
        given[i] = nn_randn(i < 2 ? 4 : 1, shapes[i], NN_CPU);
    if (run_layer(given, DTYPE_F32, how, &result, ours) ||
        run_layer(given, DTYPE_F64, how, &wanted, theirs)) {
        printf("# %s\n", nn_error());
        return 1;
    }
    double off = difference(result, wanted);
    if (!(off <= 3e-5))
        failed++, printf("# result wrong by %g: %zu x %zu, %zu to %zu\n", off, s->height, s->width,
                         s->in, s->out);
    for (int i = 0; i < PARTS; i++) {
        double error = difference(ours[i], theirs[i]);
        if (error <= 3e-5)
            continue;
        printf("# gradient by %s wrong by %g: %zu x %zu, %zu to %zu, padded %zu\n", names[i], error,
               s->height, s->width, s->in, s->out, s->pad);
        failed++;
    }
    return failed;
}

static int check_gradients(void)
{
    static const struct sizes all[] = {
        {4, 4, 16, 16, 1},  {7, 9, 48, 32, 1},  {13, 18, 16, 64, 0}, {5, 6, 64, 16, 2},
        {3, 3, 112, 80, 0}, {1, 2, 32, 32, 1},  {26, 30, 16, 48, 1}, {61, 60, 144, 160, 1},
        {9, 10, 24, 24, 1}, {12, 7, 24, 48, 1}, {10, 9, 48, 24, 1}};
    int failed = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (nn_scope_begin())
            return 1;
        failed += check_layer(&all[i]);
        nn_scope_end();
    }
    return failed;
}

int main(void)
{
    tap_plan(8);
    ok(kernel_conv3x3_suits(16, 1) && !kernel_conv3x3_suits(3, 64), "whom it suits");
    ok_at_levels(check_sizes, "3 x 3 convolutions");
    ok(!nn_seed(1) && !nn_set_threads(2), "two threads");
    ok_at_levels(check_gradients, "their gradients");
    return tap_done();
}
