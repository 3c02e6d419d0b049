/* The published start of Swin-Unet: a Swin transformer trained on ImageNet fills the
 * encoder, and the decoder by the mirror rule, stage n of the encoder into stage 3 - n.
 * What is not there or has another shape keeps its random start; what is left over, such
 * as the third to sixth block of a Swin-T's third stage, is left aside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/swinunet.h"

#define PREFIX "swin_unet."
#define UP     "layers_up."
#define LAST   3 /* the number of the last stage */

/* What our parameter is called in a Swin transformer. */
static void their_name(char *key, size_t size, const char *name)
{
    const char *inner = name + strlen(PREFIX), *stage = inner + strlen(UP);
    if (strncmp(inner, UP, strlen(UP)) == 0 && *stage >= '0' && *stage <= '0' + LAST)
        snprintf(key, size, "layers.%d%s", '0' + LAST - *stage, stage + 1);
    else
        snprintf(key, size, "%s", inner);
}

static bool has_shape(const nn_tensor *tensor, const struct array *array)
{
    bool same = nn_ndim(tensor) == array->ndim;
    for (int i = 0; same && i < array->ndim; i++)
        same = nn_size(tensor, i) == (int64_t)array->shape[i];
    return same;
}

/* How many parameters were filled, or -1. */
static int load_all(struct model *model, const struct weights *swin, struct err *err)
{
    size_t count;
    int filled = 0;
    struct model_parameter *parameters = model_parameters(model, &count);
    for (size_t i = 0; i < count; i++) {
        char key[256];
        their_name(key, sizeof key, parameters[i].name);
        const struct array *array = weights_find(swin, key);
        if (!array || !has_shape(parameters[i].tensor, array))
            continue;
        if (nn_copy_from_host_(parameters[i].tensor, array->data, array->dtype))
            return nn_to_err(err, parameters[i].name);
        filled++;
    }
    return filled;
}

bool swinunet_is_pretrained(const struct weights *weights)
{
    return weights_find(weights, "patch_embed.proj.weight") != NULL;
}

int swinunet_load_pretrained(struct model *model, const struct weights *swin, struct err *err)
{
    int filled = load_all(model, swin, err);
    if (filled > 0)
        return 0;
    return filled < 0 ? -1
                      : err_set(err, STATUS_DATA, "nothing in it has the shape of '%s'",
                                model_architecture(model));
}
