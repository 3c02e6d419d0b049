/* All objects of an image painted. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "annot/annot.h"
#include "annot/growing.h"

struct raster {
    struct array *pixels;
    const struct annot_raster *options;
    struct annot_counts *counts;
    bool own_labels; /* the objects' labels are used, else their numbers */
};

/* ---- whether the file numbers its objects ---- */

static int note_label(void *user, const struct annot_object *object, struct err *err)
{
    return growing_add(user, &object->label, err);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Each object has a label, and no two have the same. */
static bool all_differ(struct growing *labels)
{
    uint32_t *label = labels->items;
    if (labels->count == 0)
        return false;
    qsort(label, labels->count, sizeof *label, compare);
    for (size_t i = 1; i < labels->count; i++)
        if (label[i] == label[i - 1])
            return false;
    return label[0] != 0;
}

static int look_at_labels(struct annot_file *file, size_t image, bool *own, struct err *err)
{
    struct growing labels = {.size = sizeof(uint32_t)};
    int result = annot_read(file, image, note_label, &labels, err);
    *own = result == 0 && all_differ(&labels);
    growing_free(&labels);
    return result;
}

/* ---- painting ---- */

static int class_value(const struct annot_raster *options, const char *name, uint32_t *value,
                       struct err *err)
{
    for (size_t i = 0; i < options->class_count; i++)
        if (strcmp(options->classes[i], name) == 0) {
            *value = (uint32_t)i + 1;
            return 0;
        }
    return err_set(err, STATUS_DATA, "an object of class '%.200s', which is not listed", name);
}

static int paint(void *user, const struct annot_object *object, struct err *err)
{
    struct raster *raster = user;
    struct annot_counts *counts = raster->counts;
    uint32_t value = 1;
    counts->objects++;
    if (raster->options->mode == ANNOT_CLASSES &&
        class_value(raster->options, object->class_name, &value, err))
        return -1;
    if (raster->options->mode == ANNOT_INSTANCES) {
        if (counts->objects > UINT32_MAX)
            return err_set(err, STATUS_DATA, "more than %" PRIu32 " objects", UINT32_MAX);
        value = raster->own_labels ? object->label : (uint32_t)counts->objects;
    }
    int64_t covered = annot_paint(raster->pixels, object, value, raster->options->keep_first, err);
    if (covered < 0)
        return -1;
    counts->empty += covered == 0;
    counts->largest = value > counts->largest ? value : counts->largest;
    return 0;
}

int annot_rasterize(struct annot_file *file, size_t image, const struct annot_raster *options,
                    struct array *pixels, struct annot_counts *counts, struct err *err)
{
    struct raster raster = {.pixels = pixels, .options = options, .counts = counts};
    *counts = (struct annot_counts){0};
    if (options->mode == ANNOT_INSTANCES && look_at_labels(file, image, &raster.own_labels, err))
        return -1;
    return annot_read(file, image, paint, &raster, err);
}
