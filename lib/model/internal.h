/* What model.c, builder.c and layers.c share. */
#ifndef MODEL_INTERNAL_H
#define MODEL_INTERNAL_H

#include "model/architecture.h"

#define MAX_OPTIONS 8
#define MAX_DEPTH   16

struct options {
    char text[256];
    int count;
    struct {
        const char *name, *value; /* in text */
        bool used;
    } items[MAX_OPTIONS];
};

/* A layer that model_prepare packs. */
struct planned {
    void *layer;
    int (*prepare)(void *layer, enum dtype precision); /* -1: nn_error */
    void (*drop)(void *layer);
};

struct model {
    const struct architecture *kind;
    char architecture[300];
    int classes, channels;
    int flows; /* not 0: two maps of flow after the classes; MODEL_RIDGES: to ridges */
    void *state;
    struct layer_mode mode;
    int device;
    struct model_parameter *parameters;
    struct start {
        enum initial initial;
        double scale;
    } * starts;
    size_t count;
    struct planned *planned;
    size_t planned_count;
};

struct builder {
    struct model *model;
    struct options *options;
    struct err *err;
    bool failed;
    char prefix[256];
    size_t lengths[MAX_DEPTH]; /* of the prefixes around this one */
    int depth;
};

/* Registers a layer that has a plan. */
void build_planned(struct builder *builder, void *layer,
                   int (*prepare)(void *layer, enum dtype precision), void (*drop)(void *layer));

/* Takes it back: another layer packs its parameters. */
void build_unplanned(struct builder *builder, const void *layer);

#endif
