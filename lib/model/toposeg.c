/* TransUNets that are trained as TopoSeg (train/toposeg.h). */
#include "model/transunet.h"

const struct architecture toposeg_r50_b16 = {
    TRANSUNET_ARCHITECTURE,       .name = "toposeg-r50-b16",
    .has_teacher = true,          .options = TRANSUNET_R50_OPTIONS,
    .first = TRANSUNET_R50_FIRST, .config = &transunet_config_r50_b16,
};
const struct architecture toposeg_vit_b16 = {
    TRANSUNET_ARCHITECTURE,       .name = "toposeg-vit-b16",
    .has_teacher = true,          .options = TRANSUNET_VIT_OPTIONS,
    .first = TRANSUNET_VIT_FIRST, .config = &transunet_config_vit_b16,
};
