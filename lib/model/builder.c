/* The builder: named parameters, options, layers that can be prepared. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "core/num.h"
#include "model/internal.h"

static void fail(struct builder *b)
{
    b->failed = true;
}

static void fail_memory(struct builder *b)
{
    if (!b->failed)
        err_memory(b->err, "a model");
    fail(b);
}

void build_enter(struct builder *builder, const char *format, ...)
{
    if (builder->failed)
        return;
    size_t length = strlen(builder->prefix);
    va_list args;
    va_start(args, format);
    int added = vsnprintf(builder->prefix + length, sizeof builder->prefix - length, format, args);
    va_end(args);
    size_t total = length + (size_t)(added < 0 ? 0 : added) + 1;
    if (added < 0 || total >= sizeof builder->prefix || builder->depth >= MAX_DEPTH) {
        err_set(builder->err, STATUS_BUG, "parameter names nest too deep at '%s'", format);
        fail(builder);
        return;
    }
    strcat(builder->prefix, ".");
    builder->lengths[builder->depth++] = length;
}

void build_leave(struct builder *builder)
{
    if (!builder->failed)
        builder->prefix[builder->lengths[--builder->depth]] = '\0';
}

const struct layer_mode *build_mode(struct builder *builder)
{
    return &builder->model->mode;
}

static nn_tensor *add(struct builder *b, const char *name, nn_tensor *tensor, bool trainable,
                      struct start start)
{
    struct model *m = b->model;
    size_t size = strlen(b->prefix) + strlen(name) + 1;
    char *full = malloc(size);
    struct err none;
    if (!tensor || !full || growing_room(&m->parameters, m->count, sizeof *m->parameters, &none) ||
        growing_room(&m->starts, m->count, sizeof *m->starts, &none)) {
        if (!tensor && !b->failed)
            nn_to_err(b->err, name);
        else
            fail_memory(b);
        fail(b);
        free(full);
        nn_free(tensor);
        return NULL;
    }
    snprintf(full, size, "%s%s", b->prefix, name);
    m->starts[m->count] = start;
    m->parameters[m->count++] = (struct model_parameter){full, tensor, trainable};
    // cppcheck-suppress memleak ; the model has it
    return tensor;
}

nn_tensor *build_parameter(struct builder *builder, const char *name, int ndim,
                           const int64_t *shape, enum initial initial, double scale)
{
    if (builder->failed)
        return NULL;
    return add(builder, name, nn_parameter(ndim, shape), true, (struct start){initial, scale});
}

nn_tensor *build_buffer(struct builder *builder, const char *name, int ndim, const int64_t *shape,
                        enum dtype dtype, double value)
{
    if (builder->failed)
        return NULL;
    return add(builder, name, nn_buffer(ndim, shape, dtype), false,
               (struct start){INIT_VALUE, value});
}

void build_initial(struct builder *builder, const nn_tensor *parameter, enum initial initial,
                   double scale)
{
    struct model *m = builder->model;
    for (size_t i = m->count; parameter && i-- > 0;)
        if (m->parameters[i].tensor == parameter) {
            m->starts[i] = (struct start){initial, scale};
            return;
        }
}

void build_fail(struct builder *builder, const char *format, ...)
{
    char reason[200];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (!builder->failed)
        err_set(builder->err, STATUS_USAGE, "architecture '%s': %s", builder->model->architecture,
                reason);
    fail(builder);
}

void build_planned(struct builder *builder, void *layer,
                   int (*prepare)(void *layer, enum dtype precision), void (*drop)(void *layer))
{
    struct model *m = builder->model;
    if (builder->failed)
        return;
    struct err none;
    if (growing_room(&m->planned, m->planned_count, sizeof *m->planned, &none)) {
        fail_memory(builder);
        return;
    }
    m->planned[m->planned_count++] = (struct planned){layer, prepare, drop};
}

void build_unplanned(struct builder *builder, const void *layer)
{
    struct model *m = builder->model;
    for (size_t i = m->planned_count; i-- > 0;)
        if (m->planned[i].layer == layer) {
            m->planned[i] = m->planned[--m->planned_count];
            return;
        }
}

int option_int(struct builder *builder, const char *name, int min, int max, int preset)
{
    struct options *options = builder->options;
    for (int i = 0; i < options->count; i++) {
        if (strcmp(options->items[i].name, name) != 0)
            continue;
        int64_t value = preset;
        struct err err;
        options->items[i].used = true;
        if (!builder->failed && num_int(options->items[i].value, min, max, &value, &err)) {
            err_set(builder->err, STATUS_USAGE, "architecture '%s': option '%s': %s",
                    builder->model->architecture, name, err.message);
            fail(builder);
        }
        return (int)value;
    }
    return preset;
}
