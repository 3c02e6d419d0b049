/* Attention of one head against the formula in double precision: every level of the
 * processor, sizes beside those of its blocks, with and without a mask. */
#include <stdlib.h>

#include "core/rng.h"
#include "nn/kernels.h"
#include "tests/levels.h"

enum { MOST_KEYS = 200, MOST_DEPTH = 80, GAP = 7 };

static float rows[3][MOST_KEYS * (MOST_DEPTH + GAP)], mask[MOST_KEYS * (MOST_KEYS + GAP)];
static float out[MOST_KEYS * (MOST_DEPTH + GAP)];

static void fill(float *to, size_t n, struct rng *rng, double spread)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)rng_between(rng, -spread, spread);
}

/* Row i of the result. */
static void expect(double *row, const struct kernel_head *h, size_t i)
{
    double weights[MOST_KEYS], top = -INFINITY, sum = 0;
    for (size_t j = 0; j < h->n; j++) {
        weights[j] = 0;
        for (size_t c = 0; c < h->d; c++)
            weights[j] += (double)h->q[i * h->stride + c] * h->k[j * h->stride + c];
        weights[j] = weights[j] * h->scale + (h->mask ? h->mask[i * h->mask_stride + j] : 0);
        top = fmax(top, weights[j]);
    }
    for (size_t j = 0; j < h->n; j++)
        sum += weights[j] = exp(weights[j] - top);
    for (size_t c = 0; c < h->d; c++) {
        row[c] = 0;
        for (size_t j = 0; j < h->n; j++)
            row[c] += weights[j] / sum * h->v[j * h->stride + c];
    }
}

static bool is_right(const struct kernel_head *head)
{
    size_t floats = kernel_attention_scratch(head->n, head->d);
    float *scratch = aligned_alloc(64, (floats * sizeof *scratch + 63) / 64 * 64);
    double worst = 0, row[MOST_DEPTH];
    if (!scratch)
        return false;
    for (size_t i = 0; i < floats; i++)
        scratch[i] = NAN; /* nothing may be read that was not written */
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        out[i] = 3;
    kernel_attention(head, scratch);
    free(scratch);
    for (size_t i = 0; i < head->n; i++) {
        expect(row, head, i);
        for (size_t c = 0; c < head->out_stride; c++) {
            double wanted = c < head->d ? row[c] : 3; /* the gap stays as it is */
            double error = fabs(out[i * head->out_stride + c] - wanted);
            worst = error <= worst ? worst : error;
        }
    }
    return worst <= 4e-6;
}

/* Failures of all sizes. */
static int check_sizes(void)
{
    static const size_t keys[] = {1, 2, 3, 5, 6, 7, 16, 31, 33, 49, 64, 196, 197};
    static const size_t depths[] = {1, 3, 4, 8, 17, 32, 33, 64, 80};
    struct rng rng = rng_new(1, "attention");
    int failed = 0;
    for (size_t i = 0; i < 3; i++)
        fill(rows[i], sizeof rows[i] / sizeof *rows[i], &rng, 2);
    fill(mask, sizeof mask / sizeof *mask, &rng, 1);
    for (size_t j = 0; j < sizeof mask / sizeof *mask; j += 3)
        mask[j] = j % 2 ? -100 : -INFINITY;
    for (size_t a = 0; a < sizeof keys / sizeof *keys; a++)
        for (size_t b = 0; b < sizeof depths / sizeof *depths; b++)
            for (int masked = 0; masked < 2; masked++) {
                size_t n = keys[a], d = depths[b];
                struct kernel_head head = {.n = n,
                                           .d = d,
                                           .stride = d + GAP,
                                           .out_stride = d + GAP,
                                           .out = out,
                                           .q = rows[0],
                                           .k = rows[1],
                                           .v = rows[2],
                                           .mask = masked ? mask + 1 : NULL,
                                           .mask_stride = n + GAP,
                                           .scale = (float)(1 / sqrt((double)d))};
                if (!is_right(&head)) {
                    printf("# wrong: %zu keys of %zu%s\n", n, d, masked ? ", masked" : "");
                    failed++;
                }
            }
    return failed;
}

int main(void)
{
    tap_plan(3);
    ok_at_levels(check_sizes, "attention");
    return tap_done();
}
