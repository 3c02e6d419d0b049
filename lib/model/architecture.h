/* What an architecture gives to the registry.  To add one: a file here that
 * defines a struct architecture, and its line in registry.c. */
#ifndef MODEL_ARCHITECTURE_H
#define MODEL_ARCHITECTURE_H

#include "model/layers.h"
#include "model/model.h"

struct options; /* what follows the colon */

/* The option's value, or `preset` when it was not given; out of range is an
 * error of the builder.  Options that nobody asks for are errors. */
int option_int(struct builder *builder, const char *name, int min, int max, int preset);

struct architecture {
    const char *name;
    const char *options;      /* for help: "skips=0..3 (3), size=N (224)" */
    int multiple;             /* of height and width */
    bool gray_as_rgb;         /* gray images are repeated to three channels, as published */
    bool no_softmax;          /* the outputs are no class scores */
    int outputs;              /* their number where it is not that of the classes, else 0 */
    bool zero_channels;       /* a gray image is the first of at least two, the others zero */
    bool has_teacher;         /* see struct model_traits */
    const char *last, *first; /* name patterns: size 0 of `last` is the number of classes, size 1
                                 of `first` that of input channels */
    /* The layers, registered with the builder in the published order; new state for
     * forward.  NULL when out of memory; other errors are the builder's. */
    void *(*build)(struct builder *builder, const struct architecture *self, int classes,
                   int channels);
    void (*free)(void *state);
    /* Fills out->all and out->count, the last being the answer; NULL for what failed. */
    void (*forward)(void *state, const nn_tensor *x, struct model_output *out);
    /* Name patterns (fnmatch) of constants that checkpoints carry; NULL-terminated or NULL. */
    const char *const *constants;
    /* The same, of parameters that a file may lack: they start as they do in training. */
    const char *const *optional;
    /* Published starts other than checkpoints of the whole network: whether a file is one,
     * and what it fills; NULL when there are none. */
    bool (*is_pretrained)(const struct weights *weights);
    int (*load_pretrained)(struct model *model, const struct weights *weights, struct err *err);
    int (*load_npz)(struct model *model, const struct weights *npz, struct err *err);
    const void *config; /* of the architecture's own */
};

#endif
