/* Swin-Unet's start from a Swin transformer that was trained on ImageNet. */
#ifndef MODEL_SWINUNET_H
#define MODEL_SWINUNET_H

#include <stdbool.h>

#include "model/architecture.h"

/* Whether these are weights of a Swin transformer, as published. */
bool swinunet_is_pretrained(const struct weights *weights);

/* Fills encoder and decoder by the published rule.  Nothing fits: STATUS_DATA. */
int swinunet_load_pretrained(struct model *model, const struct weights *swin,
                             struct err *err) MUST_CHECK;

#endif
