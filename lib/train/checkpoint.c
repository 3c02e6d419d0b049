#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/half.h"

/* ---- notes ---- */

static int notes_add(const struct note *notes, size_t count, struct weights *weights,
                     struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        char number[40];
        const char *text = notes[i].text;
        if (!text && notes[i].number) {
            snprintf(number, sizeof number, "%.17g", *notes[i].number);
            text = number;
        }
        if (text && weights_set_metadata(weights, notes[i].name, text, err))
            return -1;
    }
    return 0;
}

int notes_read_numbers(const struct note *notes, size_t count, const struct weights *weights,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!notes[i].number)
            continue;
        const char *text = weights_metadata(weights, notes[i].name);
        char *end = NULL;
        double value = text ? strtod(text, &end) : 0;
        if (!text || end == text || *end)
            return err_set(err, STATUS_DATA, "'%s' is missing: not a checkpoint", notes[i].name);
        *notes[i].number = value;
    }
    return 0;
}

/* ---- weights ---- */

/* Left out while the queues are empty or one-sided. */
static int add_gaussians(const struct trainer *trainer, struct weights *w, struct err *err)
{
    struct gaussians *g = malloc(sizeof *g);
    struct err none;
    int result = g ? 0 : err_memory(err, "Gaussians");
    if (result == 0 && trainer_gaussians(trainer, g, &none) == 0)
        result = gaussians_add(g, w, err);
    free(g);
    return result;
}

/* float32 items become float16. */
static int halve(struct weights *w, struct err *err)
{
    for (size_t i = 0; i < w->count; i++) {
        struct array *a = &w->items[i].array, half;
        if (a->dtype != DTYPE_F32)
            continue;
        if (array_new(&half, DTYPE_F16, a->ndim, a->shape, err))
            return -1;
        half_from_floats(half.data, a->data, array_count(a));
        array_free(a);
        *a = half;
    }
    return 0;
}

int checkpoint_write_weights(const char *path, const struct model *model, struct trainer *trainer,
                             bool half, const struct note *notes, size_t count, struct err *err)
{
    struct weights w = {0};
    if (trainer_swap_average(trainer, err))
        return -1;
    int result = model_export(model, &w, err) || notes_add(notes, count, &w, err) ||
                         add_gaussians(trainer, &w, err) || (half && halve(&w, err)) ||
                         weights_write(&w, path, err)
                     ? -1
                     : 0;
    weights_free(&w);
    struct err late;
    return trainer_swap_average(trainer, result ? &late : err) ? -1 : result;
}

/* ---- checkpoints ---- */

int checkpoint_write(const char *path, const struct model *model, const struct trainer *trainer,
                     const struct note *notes, size_t count, struct err *err)
{
    struct weights w = {0};
    int result = model_export(model, &w, err) || trainer_export(trainer, &w, err) ||
                         notes_add(notes, count, &w, err) || weights_write(&w, path, err)
                     ? -1
                     : 0;
    weights_free(&w);
    return result;
}

/* The model's own parameters among those of a checkpoint, into parts->items, which
 * the caller frees. */
static int pick_parameters(const struct model *model, const struct weights *w,
                           struct weights *parts, struct err *err)
{
    size_t count;
    struct model_parameter *parameters = model_parameters(model, &count);
    *parts = (struct weights){.items = calloc(count + 1, sizeof *parts->items)};
    if (!parts->items)
        return err_memory(err, "a list of parameters");
    for (size_t i = 0; i < count; i++) {
        const struct array *array = weights_find(w, parameters[i].name);
        if (array)
            parts->items[parts->count++] = (struct weight){parameters[i].name, *array};
    }
    return 0;
}

int checkpoint_restore(const struct weights *checkpoint, struct model *model,
                       struct trainer *trainer, struct err *err)
{
    const char *arch = weights_metadata(checkpoint, "architecture");
    struct weights parts;
    if (!arch || strcmp(arch, model_architecture(model)) != 0)
        return err_set(err, STATUS_USAGE, "it is of another architecture");
    if (pick_parameters(model, checkpoint, &parts, err))
        return -1;
    int result =
        model_load(model, &parts, err) || trainer_import(trainer, checkpoint, err) ? -1 : 0;
    free(parts.items);
    model_set_training(model, true);
    return result;
}
