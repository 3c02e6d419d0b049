/* All objects of an image painted. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "annot/file.h"
#include "core/growing.h"

struct raster {
    struct array *pixels;
    const struct annot_raster *options;
    struct annot_counts *counts;
    bool own_labels; /* the objects' labels are used, else their numbers */
};

/* ---- whether the file numbers its objects, and of which planes they are ---- */

static bool is_on(int64_t plane, int64_t wanted)
{
    return plane == 0 || wanted == 0 || plane == wanted;
}

static bool is_wanted(const struct annot_raster *options, const struct annot_object *object)
{
    const struct annot_plane *p = &object->plane, *wanted = &options->plane;
    return is_on(p->channel, wanted->channel) && is_on(p->z, wanted->z) && is_on(p->t, wanted->t);
}

/* Notes the first plane that is told, and whether another one is. */
static bool differs(int64_t *first, int64_t plane)
{
    bool different = plane && *first && *first != plane;
    *first = *first ? *first : plane;
    return different;
}

struct survey {
    const struct annot_raster *options;
    struct growing labels; /* of uint32_t */
    struct annot_plane first;
    bool several_planes;
};

static int note_object(void *user, const struct annot_object *object, struct err *err)
{
    struct survey *survey = user;
    if (!is_wanted(survey->options, object))
        return 0;
    survey->several_planes |= differs(&survey->first.channel, object->plane.channel);
    survey->several_planes |= differs(&survey->first.z, object->plane.z);
    survey->several_planes |= differs(&survey->first.t, object->plane.t);
    return growing_add(&survey->labels, &object->label, err);
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

static int look_at_objects(struct annot_file *file, size_t image, struct raster *raster,
                           struct err *err)
{
    struct survey survey = {.options = raster->options, .labels = {.size = sizeof(uint32_t)}};
    int result = annot_read(file, image, note_object, &survey, err);
    raster->own_labels = result == 0 && all_differ(&survey.labels);
    raster->counts->several_planes = survey.several_planes;
    growing_free(&survey.labels);
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
    if (!is_wanted(raster->options, object)) {
        counts->elsewhere++;
        return 0;
    }
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
    file->paint_width = (int64_t)pixels->shape[1];
    file->paint_height = (int64_t)pixels->shape[0];
    if (look_at_objects(file, image, &raster, err))
        return -1;
    return annot_read(file, image, paint, &raster, err);
}
