/* The C boundary of libtorch: errors, scopes, layers, gradients, optimizers. */
#include "nn/nn.h"
#include "tests/tap.h"

static nn_tensor *vector(const float *values, int64_t n)
{
    return nn_from_host(values, DTYPE_F32, 1, &n);
}

static void test_errors(void)
{
    nn_tensor *none = nn_full(1, (int64_t[]){3}, 1, DTYPE_F32, NN_CPU);
    ok(!none && strstr(nn_error(), "nn_scope_begin"), "a temporary without a scope is an error");
    ok(nn_scope_begin() == 0, "scope begins");
    nn_tensor *a = nn_full(2, (int64_t[]){2, 3}, 1, DTYPE_F32, NN_CPU);
    nn_tensor *bad = nn_matmul(a, a);
    ok(!bad && !strchr(nn_error(), '\n'), "a wrong shape is a one-line error: %s", nn_error());
    char first[500];
    snprintf(first, sizeof first, "%s", nn_error());
    ok(!nn_relu(bad), "NULL in, NULL out");
    is_str(nn_error(), first, "the first reason stays");
    struct err err;
    is_int(nn_to_err(&err, "run"), -1, "nn_to_err gives -1");
    ok(strncmp(err.message, "run: ", 5) == 0 && err.status == STATUS_BUG, "nn_to_err: message");
    nn_tensor *huge = nn_full(3, (int64_t[]){1 << 20, 1 << 20, 64}, 0, DTYPE_F32, NN_CPU);
    ok(!huge && nn_error_status() == STATUS_MEMORY, "out of memory: %s", nn_error());
    nn_scope_end();
}

static void test_scopes(void)
{
    ok(!nn_scope_begin() && !nn_scope_begin(), "scopes nest");
    nn_tensor *x = nn_scope_end_keep(nn_full(1, (int64_t[]){2}, 3, DTYPE_F32, NN_CPU));
    double sum = 0;
    ok(nn_item(nn_sum(x), &sum) == 0 && sum == 6, "kept by the outer scope");
    nn_tensor *mine = nn_keep(x);
    nn_scope_end();
    is_int(nn_size(mine, -1), 2, "a new handle outlives the scope");
    nn_free(mine);
}

static void test_host(void)
{
    ok(!nn_scope_begin(), "scope");
    uint16_t in[4] = {0, 1, 40000, 65535};
    nn_tensor *x = nn_from_host(in, DTYPE_U16, 2, (int64_t[]){2, 2});
    float out[4];
    ok(nn_to_host(nn_transpose(x, 0, 1), out, DTYPE_F32, sizeof out) == 0, "to host");
    ok(out[0] == 0 && out[1] == 40000 && out[2] == 1 && out[3] == 65535,
       "uint16 keeps its values, C order after a transpose");
    ok(nn_to_host(x, out, DTYPE_F32, 12) == -1, "a wrong size of the memory is an error");
    nn_scope_end();
}

static void test_gradients(void)
{
    ok(!nn_scope_begin(), "scope");
    nn_tensor *p = nn_parameter(1, (int64_t[]){2});
    nn_set_gradients(false);
    ok(nn_copy_(p, vector((float[]){3, -4}, 2)) == 0, "a parameter is set");
    nn_set_gradients(true);
    nn_tensor *loss = nn_sum(nn_square(p));
    nn_tensor *direct[1];
    ok(nn_gradients_of(loss, &p, 1, true, direct) == 0, "gradients of");
    ok(!nn_gradient(p), "which leaves the parameter's own alone");
    ok(nn_backward(loss) == 0, "backward");
    double norm = 0;
    ok(nn_clip_gradients(&p, 1, 1, &norm) == 0, "clip");
    is_near(norm, 10, 1e-5, "norm before");
    float g[2];
    ok(nn_to_host(nn_gradient(p), g, DTYPE_F32, sizeof g) == 0, "gradient to host");
    is_near(g[1], -0.8, 1e-6, "clipped gradient");
    nn_scope_end();
    nn_free(p);
}

/* Two steps worked out by hand of a single parameter p = 1 with gradient 2 p. */
static void run_optimizer(struct nn_optimizer *o, nn_tensor *p, float *value)
{
    for (int i = 0; i < 2; i++) {
        if (nn_zero_gradients(&p, 1) || nn_backward(nn_sum(nn_square(p))) ||
            nn_optimizer_step(o, 0.1))
            ok(false, "step: %s", nn_error());
    }
    ok(nn_to_host(p, value, DTYPE_F32, sizeof *value) == 0, "value");
    nn_optimizer_free(o);
}

static nn_tensor *new_one(void)
{
    nn_tensor *p = nn_parameter(1, (int64_t[]){1});
    nn_set_gradients(false);
    if (nn_fill_(p, 1))
        ok(false, "fill");
    nn_set_gradients(true);
    return p;
}

static void test_optimizers(void)
{
    ok(!nn_scope_begin(), "scope");
    float value;
    nn_tensor *p = new_one();
    run_optimizer(nn_sgd(&p, 1, 0.9, 0.5), p, &value);
    /* v1 = 2.5, p1 = 0.75; v2 = 2.25 + 1.5 + 0.375, p2 = 0.75 - 0.4125 */
    is_near(value, 0.3375, 1e-6, "SGD with momentum and weight decay");
    nn_free(p);
    p = new_one();
    run_optimizer(nn_adamw(&p, 1, 0.9, 0.999, 1e-8, 0.5, NULL), p, &value);
    /* p1 = 0.95 - 0.1; p2 = 0.85 * 0.95 - 0.1 mhat / sqrt(vhat), g = 2, 1.7 */
    double m = 0.9 * 0.2 + 0.1 * 1.7, v = 0.999 * 0.004 + 0.001 * 1.7 * 1.7;
    double expected = 0.85 * 0.95 - 0.1 * (m / 0.19) / sqrt(v / (1 - 0.999 * 0.999));
    is_near(value, expected, 1e-6, "AdamW");
    nn_free(p);
    nn_scope_end();
}

static void test_layers(void)
{
    ok(!nn_scope_begin(), "scope");
    nn_tensor *x = nn_reshape4(nn_to_dtype(nn_arange(32, NN_CPU), DTYPE_F32), 1, 2, 4, 4);
    nn_tensor *w = nn_full(4, (int64_t[]){1, 2, 3, 3}, 1, DTYPE_F32, NN_CPU);
    nn_tensor *y = nn_conv2d(x, w, NULL, (struct nn_conv){.pad_h = 1, .pad_w = 1});
    double value = 0;
    ok(!nn_item(nn_select(nn_select(nn_select(nn_select(y, 0, 0), 0, 0), 0, 1), 0, 1), &value),
       "convolution");
    is_near(value, 9 * 5 + 9 * 21, 1e-4, "its value");
    nn_tensor *q = nn_full(3, (int64_t[]){1, 4, 8}, 0.5, DTYPE_F32, NN_CPU);
    nn_tensor *a = nn_attention(q, q, q, NULL, 1);
    ok(!nn_item(nn_mean(a), &value), "attention");
    is_near(value, 0.5, 1e-6, "of equal values");
    nn_tensor *hot =
        nn_one_hot(nn_from_host((int64_t[]){1, 0}, DTYPE_I64, 2, (int64_t[]){1, 2}), 3);
    ok(nn_ndim(hot) == 3 && nn_size(hot, 1) == 3 && nn_size(hot, 2) == 2, "one-hot shape");
    nn_tensor *logits = nn_full(2, (int64_t[]){2, 4}, 0, DTYPE_F32, NN_CPU);
    nn_tensor *target = nn_from_host((int64_t[]){1, 3}, DTYPE_I64, 1, (int64_t[]){2});
    ok(!nn_item(nn_cross_entropy(logits, target, NULL, -100), &value), "cross entropy");
    is_near(value, log(4), 1e-6, "of equal logits");
    nn_scope_end();
}

static void test_precision(void)
{
    struct err err;
    bool has = nn_has_fast_bf16(NN_CPU);
    ok(!nn_check_precision(NN_CPU, DTYPE_F32, &err), "every processor has float32");
    ok(nn_fastest_precision(NN_CPU) == (has ? DTYPE_BF16 : DTYPE_F32), "the fastest type");
    ok(nn_check_precision(NN_CPU, DTYPE_F16, &err) && err.status == STATUS_USAGE,
       "no processor has float16: %s", err.message);
    int result = nn_check_precision(NN_CPU, DTYPE_BF16, &err);
    if (!has) {
        ok(result && err.status == STATUS_USAGE, "bfloat16 is refused: %s", err.message);
        tap_skip("autocast to bfloat16: no AVX512_BF16");
        tap_skip("and off again: no AVX512_BF16");
        return;
    }
    ok(!result && !nn_scope_begin(), "bfloat16 is there");
    nn_tensor *x = nn_full(2, (int64_t[]){2, 4}, 0, DTYPE_F32, NN_CPU);
    enum dtype before = nn_set_autocast(NN_CPU, DTYPE_BF16);
    nn_tensor *half = nn_matmul(x, nn_transpose(x, 0, 1));
    ok(before == DTYPE_F32 && nn_dtype(half) == DTYPE_BF16, "autocast to bfloat16");
    ok(nn_set_autocast(NN_CPU, DTYPE_F32) == DTYPE_BF16, "and off again");
    nn_scope_end();
}

int main(void)
{
    tap_plan(43);
    test_errors();
    test_scopes();
    test_host();
    test_gradients();
    test_optimizers();
    test_layers();
    test_precision();
    return tap_done();
}
