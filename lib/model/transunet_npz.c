/* The published ViT checkpoints (.npz of JAX) into a TransUNet's encoder. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/transunet.h"

#define ENCODER "transformer."

/* Parts of our names and what they are called there, longest first. */
static const struct {
    const char *ours, *theirs;
} parts[] = {
    {"transformer.embeddings.hybrid_model.root.conv", "conv_root"},
    {"transformer.embeddings.hybrid_model.root.gn", "gn_root"},
    {"transformer.embeddings.hybrid_model.body.", ""},
    {"transformer.embeddings.patch_embeddings", "embedding"},
    {"transformer.encoder.encoder_norm", "Transformer/encoder_norm"},
    {"transformer.encoder.layer.", "Transformer/encoderblock_"},
    {".attention_norm", "/LayerNorm_0"},
    {".ffn_norm", "/LayerNorm_2"},
    {".ffn.fc1", "/MlpBlock_3/Dense_0"},
    {".ffn.fc2", "/MlpBlock_3/Dense_1"},
    {".attn.", "/MultiHeadDotProductAttention_1/"},
    {".downsample", "/conv_proj"},
    {".weight", NULL}, /* kernel or scale */
    {".", "/"},
};

static const char *their_part(const char *name, bool is_vector, size_t *length)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *length = strlen(parts[i].ours);
        if (strncmp(name, parts[i].ours, *length) == 0)
            return parts[i].theirs ? parts[i].theirs : is_vector ? "/scale" : "/kernel";
    }
    *length = 0;
    return NULL;
}

static void their_name(char *key, size_t size, const char *name, bool is_vector)
{
    size_t used = 0, length;
    while (*name && used + 1 < size) {
        const char *part = their_part(name, is_vector, &length);
        if (part) {
            used += (size_t)snprintf(key + used, size - used, "%s", part);
            name += length;
        } else {
            key[used++] = *name++;
        }
    }
    key[used < size ? used : size - 1] = '\0';
}

static nn_tensor *tensor_of(const struct array *array)
{
    int64_t shape[ARRAY_MAX_DIMS];
    for (int i = 0; i < array->ndim; i++)
        shape[i] = (int64_t)array->shape[i];
    return nn_from_host(array->data, array->dtype, array->ndim, shape);
}

/* HWIO to OIHW; inputs x outputs (either of them perhaps heads x head size) to
 * outputs x inputs; vectors as they are. */
static nn_tensor *converted(const nn_tensor *theirs, const nn_tensor *ours)
{
    if (nn_ndim(ours) == 4)
        return nn_permute(theirs, 4, (int64_t[]){3, 2, 0, 1});
    if (nn_ndim(ours) == 2)
        return nn_transpose(nn_reshape2(theirs, nn_size(ours, 1), nn_size(ours, 0)), 0, 1);
    return nn_reshape(theirs, 1, (int64_t[]){-1});
}

static const struct array *require(const struct weights *npz, const char *key, struct err *err)
{
    const struct array *array = weights_find(npz, key);
    if (!array)
        err_set(err, STATUS_DATA, "'%s' is missing from the ViT checkpoint", key);
    return array;
}

static int copy(struct model_parameter *p, const nn_tensor *from, struct err *err)
{
    return nn_copy_(p->tensor, from) ? nn_to_err(err, p->name) : 0;
}

static int load_parameter(struct model_parameter *p, const struct weights *npz, struct err *err)
{
    char key[256];
    their_name(key, sizeof key, p->name, nn_ndim(p->tensor) == 1 && !strstr(p->name, "bias"));
    const struct array *array = require(npz, key, err);
    return array ? copy(p, converted(tensor_of(array), p->tensor), err) : -1;
}

/* 1 x (1 + g^2) x C, the class token first, or 1 x g^2 x C. */
static int load_positions(struct model_parameter *p, const struct weights *npz, struct err *err)
{
    const struct array *array = require(npz, "Transformer/posembed_input/pos_embedding", err);
    if (!array)
        return -1;
    nn_tensor *theirs = tensor_of(array);
    int64_t count = nn_size(theirs, 1), wanted = nn_size(p->tensor, 1);
    if (count != wanted)
        theirs = nn_narrow(theirs, 1, 1, count - 1);
    int64_t grid = (int64_t)lround(sqrt((double)(count - 1)));
    if (count != wanted && grid * grid != count - 1)
        return err_set(err, STATUS_DATA, "'%s': %lld positions are no square grid", p->name,
                       (long long)(count - 1));
    int64_t side = (int64_t)lround(sqrt((double)wanted));
    return copy(p, transunet_resize_positions(theirs, side, side), err);
}

static int load_all(struct model *model, const struct weights *npz, struct err *err)
{
    size_t count;
    struct model_parameter *parameters = model_parameters(model, &count);
    for (size_t i = 0; i < count; i++) {
        struct model_parameter *p = &parameters[i];
        if (strncmp(p->name, ENCODER, strlen(ENCODER)) != 0)
            continue;
        bool positions = strstr(p->name, "position_embeddings");
        if (positions ? load_positions(p, npz, err) : load_parameter(p, npz, err))
            return -1;
    }
    return 0;
}

int transunet_load_npz(struct model *model, const struct weights *npz, struct err *err)
{
    if (nn_scope_begin())
        return nn_to_err(err, "load the ViT checkpoint");
    bool gradients = nn_set_gradients(false);
    int failed = load_all(model, npz, err);
    nn_set_gradients(gradients);
    nn_scope_end();
    return failed;
}
