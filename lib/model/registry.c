/* One line an architecture. */
#include "model/registry.h"

#include <stddef.h>

#include "model/architecture.h"

extern const struct architecture unet_s, transunet_r50_b16, transunet_r50_l32, transunet_vit_b16,
    transunet_vit_l16, unetpp, swinunet, scaleformer, cellpose, toposeg_r50_b16, toposeg_vit_b16;

const struct architecture *const architectures[] = {
    &unet_s,
    &transunet_r50_b16,
    &transunet_r50_l32,
    &transunet_vit_b16,
    &transunet_vit_l16,
    &unetpp,
    &swinunet,
    &scaleformer,
    &toposeg_r50_b16,
    &toposeg_vit_b16,
    &cellpose,
    NULL,
};
