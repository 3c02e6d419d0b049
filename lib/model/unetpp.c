/* UNet++: Z. Zhou, M. M. R. Siddiquee, N. Tajbakhsh, J. Liang, "UNet++: A Nested
 * U-Net Architecture for Medical Image Segmentation", DLMIA 2018.
 *
 * Node X(i, j) of level i and column j sees every earlier node of its level and
 * node X(i+1, j-1) upsampled.  Names as in 4uiiurz1/pytorch-nested-unet. */
#include <stdio.h>
#include <stdlib.h>

#include "model/architecture.h"

#define MAX_LEVELS 4

struct node {
    struct conv_bn first, second;
};

struct unetpp {
    struct node nodes[MAX_LEVELS + 1][MAX_LEVELS + 1]; /* [level][column] */
    struct conv final[MAX_LEVELS];
    const struct layer_mode *mode;
    int columns; /* after the encoder's: poolings */
    int pruned;  /* columns that are computed */
    bool supervised;
};

static void build_node(struct builder *b, struct node *node, int level, int column, int in, int out)
{
    const struct nn_conv same = {0};
    build_enter(b, "conv%d_%d", level, column);
    build_conv_bn(b, &node->first, "conv1", "bn1", in, out, 3, same, CONV_BIAS);
    build_conv_bn(b, &node->second, "conv2", "bn2", out, out, 3, same, CONV_BIAS);
    build_leave(b);
}

static void build_finals(struct builder *b, struct unetpp *net, int width, int classes)
{
    const struct nn_conv plain = {0};
    if (!net->supervised)
        build_conv(b, &net->final[net->columns - 1], "final", width, classes, 1, plain, CONV_BIAS);
    for (int j = 0; net->supervised && j < net->columns; j++) {
        char name[16];
        snprintf(name, sizeof name, "final%d", j + 1);
        build_conv(b, &net->final[j], name, width, classes, 1, plain, CONV_BIAS);
    }
}

static void *build(struct builder *b, const struct architecture *self, int classes, int channels)
{
    (void)self;
    struct unetpp *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    int width = option_int(b, "width", 1, 1024, 32);
    net->mode = build_mode(b);
    net->columns = option_int(b, "levels", 1, MAX_LEVELS, MAX_LEVELS);
    net->supervised = option_int(b, "ds", 0, 1, 0);
    /* Only with deep supervision was a shallower output trained. */
    net->pruned =
        option_int(b, "prune", net->supervised ? 1 : net->columns, net->columns, net->columns);
    for (int j = 0; j <= net->columns; j++)
        for (int i = 0; i + j <= net->columns; i++) {
            int own = width << i, below = width << (i + 1);
            int in = j > 0 ? own * j + below : i > 0 ? own / 2 : channels;
            build_node(b, &net->nodes[i][j], i, j, in, own);
        }
    build_finals(b, net, width, classes);
    return net;
}

static nn_tensor *run_node(const struct node *node, const nn_tensor *x)
{
    nn_tensor *y = run_conv_bn(&node->first, x, NN_RELU, NULL);
    return run_conv_bn(&node->second, y, NN_RELU, NULL);
}

/* before: X(i, 0) ... X(i, j-1); below: X(i+1, j-1) */
static nn_tensor *run_nested(const struct unetpp *net, int i, int j, nn_tensor *const *before,
                             const nn_tensor *below)
{
    const nn_tensor *parts[MAX_LEVELS + 1];
    for (int k = 0; k < j; k++)
        parts[k] = before[k];
    if (nn_scope_begin())
        return NULL;
    parts[j] = run_upsample(net->mode, below, nn_size(before[0], 2), nn_size(before[0], 3), true);
    nn_tensor *joined = nn_cat(parts, (size_t)j + 1, 1);
    return nn_scope_end_keep(run_node(&net->nodes[i][j], joined));
}

static nn_tensor *run_encoder(const struct unetpp *net, int i, const nn_tensor *x)
{
    if (nn_scope_begin())
        return NULL;
    const nn_tensor *in = i > 0 ? run_max_pool(net->mode, x, 2, 2, 0) : x;
    return nn_scope_end_keep(run_node(&net->nodes[i][0], in));
}

static void forward(void *state, const nn_tensor *x, struct model_output *out)
{
    const struct unetpp *net = state;
    nn_tensor *nodes[MAX_LEVELS + 1][MAX_LEVELS + 1];
    for (int level = 0; level <= net->pruned; level++) {
        nodes[level][0] = run_encoder(net, level, level > 0 ? nodes[level - 1][0] : x);
        for (int j = 1; j <= level; j++) {
            int i = level - j;
            nodes[i][j] = run_nested(net, i, j, nodes[i], nodes[i + 1][j - 1]);
        }
    }
    for (int j = net->supervised ? 1 : net->pruned; j <= net->pruned; j++)
        out->all[out->count++] = run_conv(&net->final[j - 1], nodes[0][j], NN_NONE, NULL);
}

const struct architecture unetpp = {
    .name = "unetpp",
    .options =
        "ds=0|1 (0) deep supervision, prune=1..levels with ds, levels=1..4 (4), width=N (32)",
    .multiple = 1 << MAX_LEVELS,
    .first = "conv0_0.conv1.weight",
    .last = "final*.weight",
    .build = build,
    .free = free,
    .forward = forward,
};
