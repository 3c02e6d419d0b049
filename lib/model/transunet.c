#include "model/transunet.h"

#include <math.h>
#include <stdlib.h>

#define BLOCKS     3 /* of the ResNet */
#define MAX_UNITS  9
#define STAGES     4 /* of the decoder */
#define MAX_LAYERS 32

static const int units_of_block[BLOCKS] = {3, 4, 9};
static const int decoder_parts[STAGES] = {2, 4, 8, 32}; /* of the decoder's first width */
static const int skip_widths[STAGES] = {8, 4, 1, 0};    /* of the ResNet's first width */

/* A bottleneck of ResNet v2; `shortcut` when the shape changes. */
struct unit {
    struct conv conv1, conv2, conv3, downsample;
    struct group_norm norm1, norm2, norm3, norm_shortcut;
    bool shortcut;
};

struct layer {
    struct layer_norm attention_norm, mlp_norm;
    struct linear query, key, value, out, fc1, fc2;
    struct qkv qkv;
};

struct stage {
    struct conv_bn conv1, conv2;
};

struct transunet {
    struct transunet_config config;
    int skips;
    int width;   /* of the ResNet's first convolution */
    int decoder; /* of the decoder's */
    const struct layer_mode *mode;
    struct conv root;
    struct group_norm root_norm;
    struct unit units[BLOCKS][MAX_UNITS];
    struct conv patches;
    nn_tensor *positions;
    struct layer layers[MAX_LAYERS];
    struct layer_norm norm;
    struct conv_bn more;
    struct stage stages[STAGES];
    struct conv head;
};

#define DROPOUT 0.1

/* ---- building ---- */

static int groups_of(int channels)
{
    return channels < 32 ? channels : 32;
}

static void build_unit(struct builder *b, struct unit *u, int in, int out, int stride)
{
    int middle = out / 4;
    struct nn_conv plain = {0}, strided = {.stride_h = stride, .stride_w = stride};
    build_group_norm(b, &u->norm1, "gn1", middle, groups_of(middle), 1e-6);
    build_conv(b, &u->conv1, "conv1", in, middle, 1, plain, CONV_STANDARDIZED);
    build_group_norm(b, &u->norm2, "gn2", middle, groups_of(middle), 1e-6);
    build_conv(b, &u->conv2, "conv2", middle, middle, 3, strided, CONV_STANDARDIZED);
    build_group_norm(b, &u->norm3, "gn3", out, groups_of(out), 1e-6);
    build_conv(b, &u->conv3, "conv3", middle, out, 1, plain, CONV_STANDARDIZED);
    u->shortcut = in != out || stride != 1;
    if (!u->shortcut)
        return;
    build_conv(b, &u->downsample, "downsample", in, out, 1, strided, CONV_STANDARDIZED);
    build_group_norm(b, &u->norm_shortcut, "gn_proj", out, out, 1e-5);
}

static void build_resnet(struct builder *b, struct transunet *t, int channels)
{
    struct nn_conv root = {.stride_h = 2, .stride_w = 2};
    int in = t->width;
    build_enter(b, "hybrid_model");
    build_conv(b, &t->root, "root.conv", channels, in, 7, root, CONV_STANDARDIZED);
    build_group_norm(b, &t->root_norm, "root.gn", in, groups_of(in), 1e-6);
    for (int block = 0; block < BLOCKS; block++) {
        int out = (4 * t->width) << block;
        for (int unit = 0; unit < units_of_block[block]; unit++) {
            build_enter(b, "body.block%d.unit%d", block + 1, unit + 1);
            build_unit(b, &t->units[block][unit], unit ? out : in, out, block && !unit ? 2 : 1);
            build_leave(b);
        }
        in = out;
    }
    build_leave(b);
}

static void build_embeddings(struct builder *b, struct transunet *t, int grid, int channels)
{
    int64_t shape[] = {1, (int64_t)grid * grid, t->config.hidden};
    build_enter(b, "transformer.embeddings");
    t->positions = build_parameter(b, "position_embeddings", 3, shape, INIT_ZERO, 0);
    if (t->config.resnet) {
        build_resnet(b, t, channels);
        build_conv(b, &t->patches, "patch_embeddings", 16 * t->width, t->config.hidden, 1,
                   (struct nn_conv){0}, CONV_BIAS);
    } else {
        build_conv(b, &t->patches, "patch_embeddings", channels, t->config.hidden, 16,
                   (struct nn_conv){.stride_h = 16, .stride_w = 16}, CONV_BIAS | CONV_NO_PAD);
    }
    build_leave(b);
}

/* Xavier's uniform for the MLP's weights, nearly nothing for its biases. */
static void build_mlp(struct builder *b, struct layer *l, const struct transunet_config *c)
{
    double bound = sqrt(6.0 / (c->hidden + c->mlp));
    build_linear(b, &l->fc1, "ffn.fc1", c->hidden, c->mlp, true);
    build_linear(b, &l->fc2, "ffn.fc2", c->mlp, c->hidden, true);
    build_initial(b, l->fc1.weight, INIT_UNIFORM, bound);
    build_initial(b, l->fc2.weight, INIT_UNIFORM, bound);
    build_initial(b, l->fc1.bias, INIT_NORMAL, 1e-6);
    build_initial(b, l->fc2.bias, INIT_NORMAL, 1e-6);
}

static void build_layer(struct builder *b, struct layer *l, const struct transunet_config *c)
{
    build_layer_norm(b, &l->attention_norm, "attention_norm", c->hidden, 1e-6);
    build_layer_norm(b, &l->mlp_norm, "ffn_norm", c->hidden, 1e-6);
    build_mlp(b, l, c);
    build_linear(b, &l->query, "attn.query", c->hidden, c->hidden, true);
    build_linear(b, &l->key, "attn.key", c->hidden, c->hidden, true);
    build_linear(b, &l->value, "attn.value", c->hidden, c->hidden, true);
    build_linear(b, &l->out, "attn.out", c->hidden, c->hidden, true);
    build_qkv(b, &l->qkv, &l->query, &l->key, &l->value);
}

static void build_encoder(struct builder *b, struct transunet *t)
{
    build_enter(b, "transformer.encoder");
    for (int i = 0; i < t->config.depth; i++) {
        build_enter(b, "layer.%d", i);
        build_layer(b, &t->layers[i], &t->config);
        build_leave(b);
    }
    build_layer_norm(b, &t->norm, "encoder_norm", t->config.hidden, 1e-6);
    build_leave(b);
}

static void build_decoder(struct builder *b, struct transunet *t, int classes)
{
    struct nn_conv plain = {0};
    int in = t->decoder;
    build_enter(b, "decoder");
    build_conv_bn(b, &t->more, "conv_more.0", "conv_more.1", t->config.hidden, in, 3, plain, 0);
    for (int i = 0; i < STAGES; i++) {
        int out = t->decoder / decoder_parts[i],
            skip = i < t->skips ? skip_widths[i] * t->width : 0;
        build_enter(b, "blocks.%d", i);
        build_conv_bn(b, &t->stages[i].conv1, "conv1.0", "conv1.1", in + skip, out, 3, plain, 0);
        build_conv_bn(b, &t->stages[i].conv2, "conv2.0", "conv2.1", out, out, 3, plain, 0);
        build_leave(b);
        in = out;
    }
    build_leave(b);
    build_conv(b, &t->head, "segmentation_head.0", in, classes, 3, plain, CONV_BIAS);
}

/* The published sizes, or narrower ones for small machines. */
static void read_sizes(struct builder *b, struct transunet *t)
{
    struct transunet_config *c = &t->config;
    int published = c->hidden;
    c->depth = option_int(b, "depth", 1, MAX_LAYERS, c->depth);
    c->heads = option_int(b, "heads", 1, 64, c->heads);
    c->hidden = option_int(b, "hidden", c->heads, 4096, c->hidden) / c->heads * c->heads;
    c->mlp = c->mlp / published * c->hidden;
    t->decoder = option_int(b, "decoder", 32, 2048, 512) / 32 * 32;
    t->skips = c->resnet ? option_int(b, "skips", 0, 3, 3) : 0;
    t->width = c->resnet ? option_int(b, "width", 8, 256, 64) / 8 * 8 : 0;
}

void *transunet_build(struct builder *builder, const struct architecture *self, int classes,
                      int channels)
{
    struct transunet *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->config = *(const struct transunet_config *)self->config;
    t->mode = build_mode(builder);
    read_sizes(builder, t);
    build_embeddings(builder, t, option_int(builder, "size", 16, 8192, 224) / 16, channels);
    build_encoder(builder, t);
    build_decoder(builder, t, classes);
    return t;
}

void transunet_free(void *state)
{
    free(state);
}

/* ---- running ---- */

/* Frees the temporaries of making `result`, but for itself. */
#define SCOPED(result, expression)                                                                 \
    do {                                                                                           \
        if (nn_scope_begin())                                                                      \
            return NULL;                                                                           \
        (result) = (expression);                                                                   \
        (result) = nn_scope_end_keep(result);                                                      \
    } while (0)

static nn_tensor *run_unit(const struct unit *u, const nn_tensor *x)
{
    const nn_tensor *shortcut = x;
    if (u->shortcut)
        shortcut = run_group_norm(&u->norm_shortcut, run_conv(&u->downsample, x, NN_NONE, NULL),
                                  NN_NONE, NULL);
    nn_tensor *y = run_group_norm(&u->norm1, run_conv(&u->conv1, x, NN_NONE, NULL), NN_RELU, NULL);
    y = run_group_norm(&u->norm2, run_conv(&u->conv2, y, NN_NONE, NULL), NN_RELU, NULL);
    return run_group_norm(&u->norm3, run_conv(&u->conv3, y, NN_NONE, NULL), NN_RELU, shortcut);
}

static nn_tensor *run_block(const struct transunet *t, int block, nn_tensor *x)
{
    for (int i = 0; i < units_of_block[block]; i++)
        SCOPED(x, run_unit(&t->units[block][i], x));
    return x;
}

/* Zeros at the right and the bottom, where the pooling without padding lost a row. */
static nn_tensor *padded_to(nn_tensor *x, int64_t height, int64_t width)
{
    int64_t right = width - nn_size(x, 3), bottom = height - nn_size(x, 2);
    return right || bottom ? nn_pad2d(x, 0, right, 0, bottom, 0) : x;
}

/* skips[] in the decoder's order, deepest first. */
static nn_tensor *run_resnet(const struct transunet *t, const nn_tensor *x, nn_tensor **skips)
{
    int64_t height = nn_size(x, 2), width = nn_size(x, 3);
    nn_tensor *y = run_conv(&t->root, x, NN_NONE, NULL);
    skips[2] = y = run_group_norm(&t->root_norm, y, NN_RELU, NULL);
    y = run_max_pool(t->mode, y, 3, 2, 0);
    SCOPED(y, run_block(t, 0, y));
    if (t->skips > 1)
        skips[1] = padded_to(y, height / 4, width / 4);
    SCOPED(y, run_block(t, 1, y));
    skips[0] = y;
    SCOPED(y, run_block(t, 2, y));
    return y;
}

nn_tensor *transunet_resize_positions(const nn_tensor *positions, int64_t height, int64_t width)
{
    int64_t count = nn_size(positions, 1), hidden = nn_size(positions, 2);
    int64_t grid = (int64_t)lround(sqrt((double)count));
    if (count == height * width && height == width)
        return (nn_tensor *)positions;
    nn_tensor *map =
        nn_permute(nn_reshape4(positions, 1, grid, grid, hidden), 4, (int64_t[]){0, 3, 1, 2});
    map = nn_upsample_bilinear(map, height, width, true);
    return nn_reshape3(nn_permute(map, 4, (int64_t[]){0, 2, 3, 1}), 1, height * width, hidden);
}

/* x may be overwritten. */
static nn_tensor *run_layer(const struct transunet *t, const struct layer *l, nn_tensor *x)
{
    bool training = t->mode->training;
    double scale = 1 / sqrt((double)t->config.hidden / t->config.heads);
    nn_tensor *y = run_qkv(&l->qkv, run_layer_norm(&l->attention_norm, x));
    y = run_attention(t->mode, y, t->config.heads, scale, NULL, 0);
    nn_tensor *attended = run_linear_onto(&l->out, y, x);
    y = run_linear(&l->fc1, run_layer_norm(&l->mlp_norm, attended), NN_GELU, NULL);
    if (!training)
        return run_linear_onto(&l->fc2, y, attended);
    y = run_linear(&l->fc2, nn_dropout(y, DROPOUT, true), NN_NONE, NULL);
    return nn_add(nn_dropout(y, DROPOUT, true), attended);
}

/* B x C x h x w features to B x C x h x w encoded ones, by way of B x hw x C. */
static nn_tensor *run_transformer(const struct transunet *t, const nn_tensor *features)
{
    int64_t batch = nn_size(features, 0), hidden = t->config.hidden;
    int64_t height = nn_size(features, 2), width = nn_size(features, 3);
    nn_tensor *x = nn_reshape3(nn_permute(features, 4, (int64_t[]){0, 2, 3, 1}), batch,
                               height * width, hidden);
    nn_tensor *positions = nn_to_dtype(t->positions, nn_dtype(x));
    x = nn_add(x, transunet_resize_positions(positions, height, width));
    x = nn_dropout(x, DROPOUT, t->mode->training);
    for (int i = 0; i < t->config.depth; i++)
        SCOPED(x, run_layer(t, &t->layers[i], x));
    x = run_layer_norm(&t->norm, x);
    return nn_permute(nn_reshape4(x, batch, height, width, hidden), 4, (int64_t[]){0, 3, 1, 2});
}

static nn_tensor *run_stage(const struct transunet *t, const struct stage *s, const nn_tensor *x,
                            const nn_tensor *skip)
{
    nn_tensor *y = run_upsample(t->mode, x, 2 * nn_size(x, 2), 2 * nn_size(x, 3), true);
    if (skip)
        y = nn_cat2(y, skip, 1);
    y = run_conv_bn(&s->conv1, y, NN_RELU, NULL);
    return run_conv_bn(&s->conv2, y, NN_RELU, NULL);
}

static nn_tensor *run_network(const struct transunet *t, const nn_tensor *x)
{
    nn_tensor *skips[STAGES] = {NULL};
    nn_tensor *y;
    if (t->config.resnet)
        x = run_resnet(t, x, skips);
    SCOPED(y, run_transformer(t, run_conv(&t->patches, x, NN_NONE, NULL)));
    SCOPED(y, run_conv_bn(&t->more, y, NN_RELU, NULL));
    for (int i = 0; i < STAGES; i++)
        SCOPED(y, run_stage(t, &t->stages[i], y, i < t->skips ? skips[i] : NULL));
    return run_conv(&t->head, y, NN_NONE, NULL);
}

void transunet_forward(void *state, const nn_tensor *x, struct model_output *out)
{
    out->all[0] = run_network(state, x);
    out->count = 1;
}

/* ---- what there is ---- */

const struct transunet_config transunet_config_r50_b16 = {true, 12, 12, 768, 3072};
const struct transunet_config transunet_config_vit_b16 = {false, 12, 12, 768, 3072};
static const struct transunet_config config_r50_l32 = {true, 32, 16, 1024, 4096};
static const struct transunet_config config_vit_l16 = {false, 24, 16, 1024, 4096};

const struct architecture transunet_r50_b16 = {
    TRANSUNET_ARCHITECTURE, .name = "transunet-r50-b16", .options = TRANSUNET_R50_OPTIONS,
    .first = TRANSUNET_R50_FIRST, .config = &transunet_config_r50_b16};
const struct architecture transunet_r50_l32 = {
    TRANSUNET_ARCHITECTURE, .name = "transunet-r50-l32", .options = TRANSUNET_R50_OPTIONS,
    .first = TRANSUNET_R50_FIRST, .config = &config_r50_l32};
const struct architecture transunet_vit_b16 = {
    TRANSUNET_ARCHITECTURE, .name = "transunet-vit-b16", .options = TRANSUNET_VIT_OPTIONS,
    .first = TRANSUNET_VIT_FIRST, .config = &transunet_config_vit_b16};
const struct architecture transunet_vit_l16 = {
    TRANSUNET_ARCHITECTURE, .name = "transunet-vit-l16", .options = TRANSUNET_VIT_OPTIONS,
    .first = TRANSUNET_VIT_FIRST, .config = &config_vit_l16};
