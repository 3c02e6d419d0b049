/* TransUNet (Chen et al. 2021): a vision transformer, on patches or on the features
 * of a ResNet-50 v2 with weight standardization and group normalization, and a
 * convolutional decoder.  Names of parameters as in the published code. */
#ifndef MODEL_TRANSUNET_H
#define MODEL_TRANSUNET_H

#include "model/architecture.h"

struct transunet_config {
    bool resnet;
    int depth, heads, hidden, mlp; /* of the transformer */
};

extern const struct transunet_config transunet_config_r50_b16, transunet_config_vit_b16;

/* Shared with architectures that are a TransUNet trained otherwise. */
void *transunet_build(struct builder *builder, const struct architecture *self, int classes,
                      int channels);
void transunet_free(void *state);
void transunet_forward(void *state, const nn_tensor *x, struct model_output *out);

/* The encoder of a ViT .npz (Dosovitskiy et al. 2021): kernels turned from HWIO to
 * OIHW, attention kernels flattened and transposed, the class token's position
 * dropped, positions of another grid resized like scipy.ndimage.zoom(order=1). */
int transunet_load_npz(struct model *model, const struct weights *npz, struct err *err);

/* Position embeddings 1 x g^2 x C of a g x g grid for a grid of another size:
 * bilinear, corners on corners. */
nn_tensor *transunet_resize_positions(const nn_tensor *positions, int64_t height, int64_t width);

#define TRANSUNET_ARCHITECTURE                                                                     \
    .multiple = 16, .gray_as_rgb = true, .last = "segmentation_head.0.weight",                     \
    .build = transunet_build, .free = transunet_free, .forward = transunet_forward,                \
    .load_npz = transunet_load_npz

#define TRANSUNET_VIT_OPTIONS                                                                      \
    "size=N (224: side of training tiles), depth, heads, hidden, decoder=N (512)"
#define TRANSUNET_R50_OPTIONS "skips=0..3 (3), width=N (64), " TRANSUNET_VIT_OPTIONS
#define TRANSUNET_R50_FIRST   "transformer.embeddings.hybrid_model.root.conv.weight"
#define TRANSUNET_VIT_FIRST   "transformer.embeddings.patch_embeddings.weight"

#endif
