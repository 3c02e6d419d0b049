#include "draw/gallery.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "core/names.h"
#include "core/num.h"
#include "scores/report.h"

/* ---- images ---- */

int gallery_add(struct gallery *gallery, const char *path, const char *condition, struct err *err)
{
    size_t n = gallery->count, length;
    if (growing_room(&gallery->images, n, sizeof *gallery->images, err))
        return -1;
    const char *name = names_stem(path, &length);
    struct gallery_image *image = &gallery->images[n];
    *image = (struct gallery_image){
        .path = strdup(path), .stem = strndup(name, length), .condition = strdup(condition)};
    gallery->count++;
    return image->path && image->stem && image->condition ? 0 : err_memory(err, "an image's name");
}

void gallery_free(struct gallery *gallery)
{
    for (size_t i = 0; i < gallery->count; i++) {
        free(gallery->images[i].path);
        free(gallery->images[i].stem);
        free(gallery->images[i].condition);
        free(gallery->images[i].failure);
    }
    for (int i = 0; i < gallery->model_count; i++)
        free(gallery->models[i].name);
    free(gallery->images);
    *gallery = (struct gallery){0};
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct gallery_image *)a)->path, ((const struct gallery_image *)b)->path);
}

static int condition_index(struct gallery *gallery, char *condition, struct err *err)
{
    for (int i = 0; i < gallery->condition_count; i++)
        if (strcmp(gallery->conditions[i], condition) == 0)
            return i;
    if (gallery->condition_count == GALLERY_CONDITIONS)
        return err_set(err, STATUS_DATA, "more than %d conditions", GALLERY_CONDITIONS);
    gallery->conditions[gallery->condition_count] = condition;
    return gallery->condition_count++;
}

int gallery_sort(struct gallery *gallery, struct err *err)
{
    qsort(gallery->images, gallery->count, sizeof *gallery->images, compare_paths);
    for (size_t i = 0; i < gallery->count; i++) {
        struct gallery_image *image = &gallery->images[i];
        if (i > 0 && strcmp(image[-1].path, image->path) == 0)
            return err_set(err, STATUS_DATA, "'%s' is named twice", image->path);
        image->condition_index = condition_index(gallery, image->condition, err);
        if (image->condition_index < 0)
            return -1;
    }
    return 0;
}

static double mean_of(const struct scores *means, const char *name)
{
    for (int i = 0; i < means->count; i++)
        if (strcmp(means->columns[i].name, name) == 0)
            return means->columns[i].value;
    return NAN;
}

int gallery_add_model(struct gallery *gallery, const char *table, struct err *err)
{
    struct scores means;
    size_t length;
    const char *name = names_stem(table, &length);
    if (scores_of_run(&means, table, err))
        return -1;
    struct gallery_model model = {strndup(name, length), mean_of(&means, "dsc"),
                                  mean_of(&means, "ap50")};
    if (!model.name)
        return err_memory(err, "a model's name");
    gallery->models[gallery->model_count++] = model;
    return 0;
}

void gallery_describe(struct gallery_image *image, const struct preview *preview)
{
    image->width = preview->width;
    image->height = preview->height;
    image->pixel_area = preview->pixel_width * preview->pixel_height;
    image->mean = preview->mean;
    image->saturated = preview->saturated;
    image->contrast = preview->contrast;
    image->sharpness = preview->sharpness;
}

/* ---- what looks wrong ---- */

typedef double measure(const struct gallery_image *image);

static double log_sharpness(const struct gallery_image *image)
{
    return image->sharpness > 0 ? log(image->sharpness) : NAN;
}

static double root_count(const struct gallery_image *image)
{
    return sqrt((double)image->cells);
}

static double uncertainty(const struct gallery_image *image)
{
    return image->cells ? image->uncertainty / (double)image->cells : NAN;
}

static void add_warning(struct gallery_image *image, const char *word)
{
    size_t length = strlen(image->warnings), more = strlen(word) + 2;
    if (length + more >= sizeof image->warnings)
        return;
    if (length)
        memcpy(image->warnings + length, ", ", 2);
    strcpy(image->warnings + length + (length ? 2 : 0), word);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, num_compare_doubles);
    return values[count / 2];
}

/* Warns where the images of a condition are further from their median than 5 median
 * distances, below (side -1), above (1) or both (0); fewer than 8 say nothing. */
static void compare(struct gallery *gallery, int condition, measure *of, int side, const char *word,
                    double *values)
{
    size_t count = 0, all = 0;
    for (size_t i = 0; i < gallery->count; i++) {
        const struct gallery_image *image = &gallery->images[i];
        if (image->condition_index == condition && !image->failure && isfinite(of(image)))
            values[count++] = of(image);
    }
    if (count < 8)
        return;
    double middle = median(values, count);
    for (all = 0; all < count; all++)
        values[all] = fabs(values[all] - middle);
    double limit = 5 * median(values, count);
    for (size_t i = 0; i < gallery->count; i++) {
        struct gallery_image *image = &gallery->images[i];
        double off = of(image) - middle;
        bool far = side < 0 ? off < -limit : side > 0 ? off > limit : fabs(off) > limit;
        if (image->condition_index == condition && !image->failure && limit > 0 && far)
            add_warning(image, word);
    }
}

int gallery_warn(struct gallery *gallery, struct err *err)
{
    double *values = malloc((gallery->count + 1) * sizeof *values);
    if (!values)
        return err_memory(err, "warnings");
    for (size_t i = 0; i < gallery->count; i++) {
        struct gallery_image *image = &gallery->images[i];
        if (image->failure)
            add_warning(image, "not read");
        else if (image->cells == 0)
            add_warning(image, "empty");
        if (image->saturated > 0.01)
            add_warning(image, "saturated");
        if (!image->failure && image->contrast < 0.01)
            add_warning(image, "no contrast");
    }
    for (int c = 0; c < gallery->condition_count; c++) {
        compare(gallery, c, log_sharpness, -1, "blurred", values);
        compare(gallery, c, root_count, 0, "unusual count", values);
        compare(gallery, c, uncertainty, 1, "uncertain", values);
    }
    free(values);
    return 0;
}
