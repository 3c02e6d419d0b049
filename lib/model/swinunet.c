/* Swin-Unet: H. Cao, Y. Wang, J. Chen, D. Jiang, X. Zhang, Q. Tian, M. Wang,
 * "Swin-Unet: Unet-like Pure Transformer for Medical Image Segmentation", ECCV
 * Workshops 2022; its blocks: Z. Liu et al., "Swin Transformer", ICCV 2021.
 *
 * Names as in HuCaoFighting/Swin-Unet (tiny, patch 4, window 7, two blocks a
 * stage).  Maps are B x H x W x C here.  A map that the windows don't divide is
 * padded with tokens that no other token sees, so that any multiple of 32 works. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/swinunet.h"

#define STAGES    4
#define BLOCKS    2
#define PATCH     4
#define EPS       1e-5
#define DROP_PATH 0.2 /* of the last block, linear from 0 */
#define MASKED    (-100.0f)

struct block {
    struct layer_norm norm1, norm2;
    nn_tensor *bias_table; /* (2 window - 1)^2 x heads */
    struct linear qkv, proj, fc1, fc2;
    int heads, shift;
    double drop_path;
};

struct expand {
    struct linear linear;
    struct layer_norm norm;
    int scale;
};

struct stage {
    struct block blocks[BLOCKS];
};

struct swinunet {
    struct conv patch;
    struct layer_norm patch_norm, norm, norm_up;
    struct stage down[STAGES], up[STAGES]; /* up[0] is only its expansion */
    struct linear merge[STAGES - 1], join[STAGES];
    struct layer_norm merge_norm[STAGES - 1];
    struct expand expand[STAGES - 1], final;
    struct conv output;
    const struct layer_mode *mode;
    int window;
};

/* A window's size and shift, and the tokens it moves over. */
struct grid {
    int64_t height, width;               /* of the map */
    int64_t padded_height, padded_width; /* multiples of the window */
    int window, shift;
};

/* ---- building ---- */

static void build_dense(struct builder *b, struct linear *linear, const char *name, int in, int out,
                        bool bias)
{
    build_linear(b, linear, name, in, out, bias);
    build_initial(b, linear->weight, INIT_TRUNCATED_NORMAL, 0.02);
    if (bias)
        build_initial(b, linear->bias, INIT_ZERO, 0);
}

static void build_block(struct builder *b, struct block *block, int n, int width, int heads,
                        int window)
{
    int64_t table[] = {(int64_t)(2 * window - 1) * (2 * window - 1), heads};
    block->heads = heads;
    block->shift = n % 2 ? window / 2 : 0;
    build_enter(b, "blocks.%d", n);
    build_layer_norm(b, &block->norm1, "norm1", width, EPS);
    block->bias_table = build_parameter(b, "attn.relative_position_bias_table", 2, table,
                                        INIT_TRUNCATED_NORMAL, 0.02);
    build_dense(b, &block->qkv, "attn.qkv", width, 3 * width, true);
    build_dense(b, &block->proj, "attn.proj", width, width, true);
    build_layer_norm(b, &block->norm2, "norm2", width, EPS);
    build_dense(b, &block->fc1, "mlp.fc1", width, 4 * width, true);
    build_dense(b, &block->fc2, "mlp.fc2", 4 * width, width, true);
    build_leave(b);
}

static void build_stage(struct builder *b, struct stage *stage, int n, int width, int heads,
                        int window)
{
    for (int i = 0; i < BLOCKS; i++) {
        build_block(b, &stage->blocks[i], i, width, heads, window);
        stage->blocks[i].drop_path = DROP_PATH * (BLOCKS * n + i) / (STAGES * BLOCKS - 1);
    }
}

static void build_expand(struct builder *b, struct expand *expand, const char *name, int in,
                         int out, int scale)
{
    expand->scale = scale;
    build_enter(b, "%s", name);
    build_dense(b, &expand->linear, "expand", in, scale * scale * out, false);
    build_layer_norm(b, &expand->norm, "norm", out, EPS);
    build_leave(b);
}

static void build_encoder(struct builder *b, struct swinunet *net, int width, int heads)
{
    for (int n = 0; n < STAGES; n++) {
        build_enter(b, "layers.%d", n);
        build_stage(b, &net->down[n], n, width << n, heads << n, net->window);
        if (n < STAGES - 1) {
            build_dense(b, &net->merge[n], "downsample.reduction", 4 * (width << n),
                        2 * (width << n), false);
            build_layer_norm(b, &net->merge_norm[n], "downsample.norm", 4 * (width << n), EPS);
        }
        build_leave(b);
    }
}

static void build_decoder(struct builder *b, struct swinunet *net, int width, int heads)
{
    for (int n = 0; n < STAGES; n++) {
        int level = STAGES - 1 - n;
        build_enter(b, "layers_up.%d", n);
        if (n > 0)
            build_stage(b, &net->up[n], level, width << level, heads << level, net->window);
        build_leave(b);
        if (level > 0) {
            char name[32];
            snprintf(name, sizeof name, "layers_up.%d%s", n, n ? ".upsample" : "");
            build_expand(b, &net->expand[n], name, width << level, width << (level - 1), 2);
        }
    }
    for (int n = 1; n < STAGES; n++) {
        int own = width << (STAGES - 1 - n);
        char name[32];
        snprintf(name, sizeof name, "concat_back_dim.%d", n);
        build_dense(b, &net->join[n], name, 2 * own, own, true);
    }
}

static void build_network(struct builder *b, struct swinunet *net, int width, int heads,
                          int classes, int channels)
{
    const struct nn_conv patch = {.stride_h = PATCH, .stride_w = PATCH}, plain = {0};
    build_enter(b, "swin_unet");
    build_conv(b, &net->patch, "patch_embed.proj", channels, width, PATCH, patch,
               CONV_BIAS | CONV_NO_PAD);
    build_layer_norm(b, &net->patch_norm, "patch_embed.norm", width, EPS);
    build_encoder(b, net, width, heads);
    build_decoder(b, net, width, heads);
    build_layer_norm(b, &net->norm, "norm", width << (STAGES - 1), EPS);
    build_layer_norm(b, &net->norm_up, "norm_up", width, EPS);
    build_expand(b, &net->final, "up", width, width, PATCH);
    build_conv(b, &net->output, "output", width, classes, 1, plain, 0);
    build_leave(b);
}

static void *build(struct builder *b, const struct architecture *self, int classes, int channels)
{
    (void)self;
    struct swinunet *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    int width = option_int(b, "width", 1, 1024, 96);
    int heads = option_int(b, "heads", 1, 64, width >= 32 ? width / 32 : 1);
    net->window = option_int(b, "window", 2, 32, 7);
    net->mode = build_mode(b);
    if (width % heads)
        build_fail(b, "%d heads don't divide a width of %d", heads, width);
    build_network(b, net, width, heads, classes, channels);
    return net;
}

/* ---- windows ---- */

static struct grid grid_of(const nn_tensor *map, int window, int shift)
{
    int64_t height = nn_size(map, 1), width = nn_size(map, 2);
    struct grid grid = {.height = height, .width = width, .window = window, .shift = shift};
    grid.padded_height = (height + window - 1) / window * window;
    grid.padded_width = (width + window - 1) / window * window;
    if (height <= window || width <= window)
        grid.shift = 0;
    return grid;
}

static int64_t window_count(const struct grid *grid)
{
    return grid->padded_height / grid->window * (grid->padded_width / grid->window);
}

/* Tokens of a window attend to each other when they have the same region. */
static int region(const struct grid *grid, int64_t y, int64_t x)
{
    int64_t height = grid->padded_height, width = grid->padded_width;
    int64_t row = (y + grid->shift) % height, column = (x + grid->shift) % width;
    if (row >= grid->height || column >= grid->width)
        return -1;
    if (!grid->shift)
        return 0;
    int vertical = (y >= height - grid->window) + (y >= height - grid->shift);
    int horizontal = (x >= width - grid->window) + (x >= width - grid->shift);
    return 3 * vertical + horizontal;
}

/* windows x 1 x N x N: 0 or MASKED; NULL with *needed false when nothing is masked */
static nn_tensor *window_mask(const struct grid *grid, bool *needed)
{
    int64_t window = grid->window, n = window * window, across = grid->padded_width / window;
    int64_t shape[] = {window_count(grid), 1, n, n};
    *needed =
        grid->shift > 0 || grid->padded_height != grid->height || grid->padded_width != grid->width;
    float *mask = *needed ? calloc((size_t)(shape[0] * n * n), sizeof *mask) : NULL;
    int *regions = *needed ? malloc((size_t)n * sizeof *regions) : NULL;
    for (int64_t w = 0; w < shape[0] && mask && regions; w++) {
        for (int64_t i = 0; i < n; i++)
            regions[i] =
                region(grid, w / across * window + i / window, w % across * window + i % window);
        for (int64_t i = 0; i < n * n; i++)
            if (regions[i / n] != regions[i % n])
                mask[w * n * n + i] = MASKED;
    }
    nn_tensor *result = mask && regions ? nn_from_host(mask, DTYPE_F32, 4, shape) : NULL;
    free(mask);
    free(regions);
    return result;
}

/* heads x N x N from the table of offsets (dy, dx) between two tokens */
static nn_tensor *position_bias(const struct block *block, int window)
{
    int64_t n = (int64_t)window * window, shape[] = {n * n};
    int64_t *index = malloc((size_t)(n * n) * sizeof *index);
    for (int64_t i = 0; i < n * n && index; i++) {
        int64_t from = i / n, to = i % n;
        int64_t dy = from / window - to / window + window - 1;
        int64_t dx = from % window - to % window + window - 1;
        index[i] = dy * (2 * window - 1) + dx;
    }
    nn_tensor *where = index ? nn_from_host(index, DTYPE_I64, 1, shape) : NULL;
    free(index);
    where = nn_to_device(where, nn_device(block->bias_table));
    nn_tensor *bias = nn_index_select(block->bias_table, 0, where);
    return nn_permute(nn_reshape3(bias, n, n, block->heads), 3, (int64_t[]){2, 0, 1});
}

/* What is added to the scores: heads x N x N, or B windows x heads x N x N. */
static nn_tensor *score_bias(const struct block *block, const struct grid *grid, int64_t batch)
{
    bool masked;
    nn_tensor *bias = position_bias(block, grid->window), *mask = window_mask(grid, &masked);
    if (!masked)
        return bias;
    int64_t n = (int64_t)grid->window * grid->window, windows = window_count(grid);
    bias = nn_add(nn_to_device(mask, nn_device(bias)), bias);
    bias = nn_expand(nn_unsqueeze(bias, 0), 5, (int64_t[]){batch, windows, block->heads, n, n});
    return nn_reshape4(bias, batch * windows, block->heads, n, n);
}

/* B x H x W x C to B windows x N x C, padded and shifted */
static nn_tensor *to_windows(const nn_tensor *map, const struct grid *grid)
{
    int64_t window = grid->window, c = nn_size(map, 3);
    int64_t down = grid->padded_height / window, across = grid->padded_width / window;
    nn_tensor *x = (nn_tensor *)map;
    if (grid->padded_height != grid->height || grid->padded_width != grid->width) {
        x = nn_reshape3(x, nn_size(map, 0), grid->height, grid->width * c);
        x = nn_pad2d(x, 0, (grid->padded_width - grid->width) * c, 0,
                     grid->padded_height - grid->height, 0);
        x = nn_reshape4(x, nn_size(map, 0), grid->padded_height, grid->padded_width, c);
    }
    if (grid->shift)
        x = nn_roll2(x, -grid->shift, 1, -grid->shift, 2);
    x = nn_reshape(x, 6, (int64_t[]){-1, down, window, across, window, c});
    x = nn_permute(x, 6, (int64_t[]){0, 1, 3, 2, 4, 5});
    return nn_reshape3(x, -1, window * window, c);
}

static nn_tensor *from_windows(const nn_tensor *windows, const struct grid *grid)
{
    int64_t window = grid->window, c = nn_size(windows, 2);
    int64_t down = grid->padded_height / window, across = grid->padded_width / window;
    nn_tensor *x = nn_reshape(windows, 6, (int64_t[]){-1, down, across, window, window, c});
    x = nn_permute(x, 6, (int64_t[]){0, 1, 3, 2, 4, 5});
    x = nn_reshape4(x, -1, grid->padded_height, grid->padded_width, c);
    if (grid->shift)
        x = nn_roll2(x, grid->shift, 1, grid->shift, 2);
    return nn_narrow(nn_narrow(x, 1, 0, grid->height), 2, 0, grid->width);
}

/* ---- running ---- */

static nn_tensor *drop(const struct swinunet *net, const nn_tensor *x, double p)
{
    return net->mode->training && p > 0 ? nn_drop_path(x, p, true) : (nn_tensor *)x;
}

static nn_tensor *run_block(const struct swinunet *net, const struct block *block,
                            const nn_tensor *in)
{
    if (nn_scope_begin())
        return NULL;
    const struct grid grid = grid_of(in, net->window, block->shift);
    double scale = 1 / sqrt((double)nn_size(in, 3) / block->heads);
    nn_tensor *windows = to_windows(run_layer_norm(&block->norm1, in), &grid);
    nn_tensor *bias = score_bias(block, &grid, nn_size(in, 0));
    nn_tensor *qkv = run_linear(&block->qkv, windows, NN_NONE, NULL);
    nn_tensor *mixed =
        run_attention(net->mode, qkv, block->heads, scale, nn_to_dtype(bias, nn_dtype(qkv)), 0);
    mixed = from_windows(run_linear(&block->proj, mixed, NN_NONE, NULL), &grid);
    nn_tensor *x = nn_add(in, drop(net, mixed, block->drop_path));
    nn_tensor *y = run_linear(&block->fc1, run_layer_norm(&block->norm2, x), NN_GELU, NULL);
    if (!net->mode->training)
        return nn_scope_end_keep(run_linear(&block->fc2, y, NN_NONE, x));
    y = run_linear(&block->fc2, y, NN_NONE, NULL);
    return nn_scope_end_keep(nn_add(x, drop(net, y, block->drop_path)));
}

static nn_tensor *run_stage(const struct swinunet *net, const struct stage *stage,
                            const nn_tensor *x)
{
    nn_tensor *y = (nn_tensor *)x;
    for (int i = 0; i < BLOCKS; i++)
        y = run_block(net, &stage->blocks[i], y);
    return y;
}

/* Each 2 x 2 of tokens becomes one of twice the width. */
static nn_tensor *run_merge(const struct linear *reduction, const struct layer_norm *norm,
                            const nn_tensor *x)
{
    int64_t h = nn_size(x, 1) / 2, w = nn_size(x, 2) / 2, c = nn_size(x, 3);
    nn_tensor *y = nn_reshape(x, 6, (int64_t[]){-1, h, 2, w, 2, c});
    y = nn_reshape4(nn_permute(y, 6, (int64_t[]){0, 1, 3, 4, 2, 5}), -1, h, w, 4 * c);
    return run_linear(reduction, run_layer_norm(norm, y), NN_NONE, NULL);
}

/* Each token becomes scale x scale tokens. */
static nn_tensor *run_expand(const struct expand *expand, const nn_tensor *x)
{
    if (nn_scope_begin())
        return NULL;
    int64_t h = nn_size(x, 1), w = nn_size(x, 2), s = expand->scale;
    nn_tensor *y = run_linear(&expand->linear, x, NN_NONE, NULL);
    int64_t c = nn_size(y, 3) / (s * s);
    y = nn_reshape(y, 6, (int64_t[]){-1, h, w, s, s, c});
    y = nn_reshape4(nn_permute(y, 6, (int64_t[]){0, 1, 3, 2, 4, 5}), -1, h * s, w * s, c);
    return nn_scope_end_keep(run_layer_norm(&expand->norm, y));
}

static nn_tensor *run_encoder(const struct swinunet *net, const nn_tensor *x, nn_tensor **skips)
{
    nn_tensor *y = nn_permute(run_conv(&net->patch, x, NN_NONE, NULL), 4, (int64_t[]){0, 2, 3, 1});
    y = run_layer_norm(&net->patch_norm, y);
    for (int n = 0; n < STAGES; n++) {
        skips[n] = y;
        y = run_stage(net, &net->down[n], y);
        if (n < STAGES - 1)
            y = run_merge(&net->merge[n], &net->merge_norm[n], y);
    }
    return run_layer_norm(&net->norm, y);
}

static nn_tensor *run_decoder(const struct swinunet *net, const nn_tensor *x,
                              nn_tensor *const *skips)
{
    nn_tensor *y = run_expand(&net->expand[0], x);
    for (int n = 1; n < STAGES; n++) {
        nn_tensor *joined = nn_cat2(y, skips[STAGES - 1 - n], -1);
        y = run_stage(net, &net->up[n], run_linear(&net->join[n], joined, NN_NONE, NULL));
        if (n < STAGES - 1)
            y = run_expand(&net->expand[n], y);
    }
    return run_layer_norm(&net->norm_up, y);
}

static void forward(void *state, const nn_tensor *x, struct model_output *out)
{
    const struct swinunet *net = state;
    nn_tensor *skips[STAGES];
    nn_tensor *y = run_decoder(net, run_encoder(net, x, skips), skips);
    y = nn_permute(run_expand(&net->final, y), 4, (int64_t[]){0, 3, 1, 2});
    out->all[out->count++] = run_conv(&net->output, y, NN_NONE, NULL);
}

static const char *const constants[] = {"*.relative_position_index", "*.attn_mask", NULL};

const struct architecture swinunet = {
    .name = "swinunet",
    .options = "width=N (96), heads=N (width / 32), window=N (7)",
    .multiple = PATCH << (STAGES - 1),
    .gray_as_rgb = true,
    .first = "swin_unet.patch_embed.proj.weight",
    .last = "swin_unet.output.weight",
    .build = build,
    .free = free,
    .forward = forward,
    .constants = constants,
    .is_pretrained = swinunet_is_pretrained,
    .load_pretrained = swinunet_load_pretrained,
};
