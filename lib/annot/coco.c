/* COCO object detection JSON: images, categories, and annotations of which only
 * the places in the file are kept, sorted by image. */
#include <stdlib.h>
#include <string.h>

#include "annot/build.h"
#include "annot/file.h"
#include "annot/points.h"
#include "annot/runs.h"

#define MAX_SIDE INT64_C(0x7fffffff)

/* ---- the index ---- */

static int read_image(struct scan *scan, struct coco_image *image, struct err *err)
{
    char key[32], name[1024] = "";
    bool first = true, named = false;
    int more;
    *image = (struct coco_image){0};
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int64_t *number = strcmp(key, "id") == 0       ? &image->id
                          : strcmp(key, "width") == 0  ? &image->width
                          : strcmp(key, "height") == 0 ? &image->height
                                                       : NULL;
        named |= number == &image->id;
        int bad = number                          ? scan_integer(scan, number, err)
                  : strcmp(key, "file_name") == 0 ? scan_string(scan, name, sizeof name, err)
                                                  : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    if (more < 0)
        return -1;
    if (!named || !name[0] || image->width < 1 || image->height < 1 || image->width > MAX_SIDE ||
        image->height > MAX_SIDE)
        return scan_wrong(scan, "an image without id, file_name, width or height", err);
    image->name = strdup(name);
    return image->name ? 0 : err_memory(err, "annotations");
}

static int read_images(struct annot_file *file, struct scan scan, struct err *err)
{
    bool first = true;
    int more;
    if (scan_open(&scan, '[', err))
        return -1;
    while ((more = scan_item(&scan, &first, err)) > 0) {
        struct coco_image image;
        if (read_image(&scan, &image, err))
            return -1;
        if (growing_add(&file->images, &image, err)) {
            free(image.name);
            return -1;
        }
    }
    return more;
}

static int read_category(struct scan *scan, struct coco_category *category, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    *category = (struct coco_category){0};
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int bad = strcmp(key, "id") == 0 ? scan_integer(scan, &category->id, err)
                  : strcmp(key, "name") == 0
                      ? scan_string(scan, category->name, sizeof category->name, err)
                      : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    return more;
}

static int compare_categories(const void *a, const void *b)
{
    int64_t x = ((const struct coco_category *)a)->id, y = ((const struct coco_category *)b)->id;
    return (x > y) - (x < y);
}

static int read_categories(struct annot_file *file, struct scan scan, struct err *err)
{
    bool first = true;
    int more;
    if (scan_open(&scan, '[', err))
        return -1;
    while ((more = scan_item(&scan, &first, err)) > 0) {
        struct coco_category category;
        if (read_category(&scan, &category, err) || growing_add(&file->categories, &category, err))
            return -1;
    }
    if (more == 0 && file->categories.count)
        qsort(file->categories.items, file->categories.count, file->categories.size,
              compare_categories);
    return more;
}

/* Image ids in order, each with its number in the file. */
struct id {
    int64_t id;
    size_t image;
};

static int compare_ids(const void *a, const void *b)
{
    int64_t x = ((const struct id *)a)->id, y = ((const struct id *)b)->id;
    return (x > y) - (x < y);
}

static struct id *sort_ids(const struct annot_file *file, struct err *err)
{
    const struct coco_image *images = file->images.items;
    size_t n = file->images.count;
    struct id *ids = malloc((n + 1) * sizeof *ids);
    if (!ids) {
        err_memory(err, "annotations");
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        ids[i] = (struct id){images[i].id, i};
    qsort(ids, n, sizeof *ids, compare_ids);
    for (size_t i = 1; i < n; i++)
        if (ids[i].id == ids[i - 1].id) {
            err_set(err, STATUS_DATA, "two images have the id %lld", (long long)ids[i].id);
            free(ids);
            return NULL;
        }
    return ids;
}

static int read_image_id(struct scan *scan, int64_t *id, struct err *err)
{
    char key[32];
    bool first = true, found = false;
    int more;
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        bool is_id = strcmp(key, "image_id") == 0;
        found |= is_id;
        if (is_id ? scan_integer(scan, id, err) : scan_skip(scan, err))
            return -1;
    }
    if (more == 0 && !found)
        return scan_wrong(scan, "an annotation without image_id", err);
    return more;
}

static int add_place(struct annot_file *file, struct scan *scan, const struct id *ids,
                     struct err *err)
{
    struct id wanted = {0};
    scan_peek(scan);
    struct coco_place place = {.at = (size_t)(scan->at - scan->begin)};
    if (read_image_id(scan, &wanted.id, err))
        return -1;
    const struct id *found = bsearch(&wanted, ids, file->images.count, sizeof *ids, compare_ids);
    if (!found)
        return scan_wrong(scan, "an annotation of an image that is not listed", err);
    place.image = found->image;
    return growing_add(&file->places, &place, err);
}

/* A list, or an object whose values are the annotations, as in some LIVECell files. */
static int read_annotations(struct annot_file *file, struct scan scan, const struct id *ids,
                            struct err *err)
{
    bool first = true, list = scan_peek(&scan) == '[';
    int more;
    if (scan_open(&scan, list ? '[' : '{', err))
        return -1;
    while ((more = list ? scan_item(&scan, &first, err) : scan_key(&scan, &first, NULL, 0, err)) >
           0)
        if (add_place(file, &scan, ids, err))
            return -1;
    return more;
}

static int compare_places(const void *a, const void *b)
{
    const struct coco_place *x = a, *y = b;
    if (x->image != y->image)
        return x->image < y->image ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

int coco_open(struct annot_file *file, struct err *err)
{
    struct scan scan = file->root, images = {0}, categories = {0}, annotations = {0};
    char key[32];
    bool first = true;
    int more;
    if (scan_open(&scan, '{', err))
        return -1;
    while ((more = scan_key(&scan, &first, key, sizeof key, err)) > 0) {
        struct scan *list = strcmp(key, "images") == 0        ? &images
                            : strcmp(key, "categories") == 0  ? &categories
                            : strcmp(key, "annotations") == 0 ? &annotations
                                                              : NULL;
        if (list)
            *list = scan;
        if (scan_skip(&scan, err))
            return -1;
    }
    if (more < 0)
        return -1;
    if (!images.at)
        return err_set(err, STATUS_DATA, "COCO without images");
    if (read_images(file, images, err) || (categories.at && read_categories(file, categories, err)))
        return -1;
    struct id *ids = sort_ids(file, err);
    int result = ids ? read_annotations(file, annotations, ids, err) : -1;
    free(ids);
    if (result == 0 && file->places.count)
        qsort(file->places.items, file->places.count, file->places.size, compare_places);
    return result;
}

/* ---- annotations ---- */

static int read_polygons(struct scan *scan, struct build *build, struct err *err)
{
    bool first = true;
    int more;
    if (scan_open(scan, '[', err))
        return -1;
    while ((more = scan_item(scan, &first, err)) > 0)
        if (build_piece(build, err) || points_of_numbers(scan, build, err))
            return -1;
    return more;
}

static int read_size(struct scan *scan, struct build *build, struct err *err)
{
    bool first = true;
    if (scan_open(scan, '[', err) || scan_item(scan, &first, err) < 1 ||
        scan_integer(scan, &build->run_height, err) || scan_item(scan, &first, err) < 1 ||
        scan_integer(scan, &build->run_width, err) || scan_item(scan, &first, err) != 0)
        return scan_wrong(scan, "run lengths without their size", err);
    return 0;
}

static int read_run_list(struct scan *scan, struct build *build, struct err *err)
{
    bool first = true;
    int more;
    if (scan_open(scan, '[', err))
        return -1;
    while ((more = scan_item(scan, &first, err)) > 0) {
        int64_t run;
        if (scan_integer(scan, &run, err))
            return -1;
        if (run < 0 || run > UINT32_MAX)
            return scan_wrong(scan, "a run length out of range", err);
        if (build_run(build, (uint32_t)run, err))
            return -1;
    }
    return more;
}

static int read_run_text(struct scan *scan, struct build *build, struct err *err)
{
    struct scan end = *scan;
    if (scan_skip(&end, err))
        return -1;
    size_t room = (size_t)(end.at - scan->at);
    char *text = malloc(room);
    if (!text)
        return err_memory(err, "annotations");
    int result = scan_string(scan, text, room, err);
    if (result == 0 && runs_decode(&build->runs, text, err))
        result = scan_wrong(scan, "run lengths that are malformed", err);
    free(text);
    return result;
}

static int read_runs(struct scan *scan, struct build *build, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        bool counts = strcmp(key, "counts") == 0;
        int bad = strcmp(key, "size") == 0           ? read_size(scan, build, err)
                  : counts && scan_peek(scan) == '"' ? read_run_text(scan, build, err)
                  : counts                           ? read_run_list(scan, build, err)
                                                     : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    return more;
}

static int check_runs(const struct build *build, const struct coco_image *image, struct err *err)
{
    const uint32_t *runs = build->runs.items;
    uint64_t total = 0;
    for (size_t i = 0; i < build->runs.count; i++)
        total += runs[i];
    if (build->runs.count == 0)
        return 0;
    if (build->run_width != image->width || build->run_height != image->height ||
        total != (uint64_t)image->width * (uint64_t)image->height)
        return err_set(err, STATUS_DATA, "run lengths that do not fill their image '%s'",
                       image->name);
    return 0;
}

static int read_segmentation(struct scan *scan, struct build *build, struct err *err)
{
    switch (scan_peek(scan)) {
    case '[':
        return read_polygons(scan, build, err);
    case '{':
        return read_runs(scan, build, err);
    default:
        return scan_skip(scan, err);
    }
}

static void name_category(const struct annot_file *file, struct build *build, int64_t id)
{
    struct coco_category wanted = {.id = id};
    const struct coco_category *found =
        file->categories.count ? bsearch(&wanted, file->categories.items, file->categories.count,
                                         file->categories.size, compare_categories)
                               : NULL;
    if (found)
        memcpy(build->class_name, found->name, sizeof found->name);
}

static int read_annotation(const struct annot_file *file, struct scan *scan, struct build *build,
                           struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    build_reset(build);
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int64_t category = 0, label = 0;
        bool is_category = strcmp(key, "category_id") == 0, is_label = strcmp(key, "label") == 0;
        int bad = strcmp(key, "segmentation") == 0 ? read_segmentation(scan, build, err)
                  : is_category                    ? scan_integer(scan, &category, err)
                  : is_label                       ? scan_integer(scan, &label, err)
                                                   : scan_skip(scan, err);
        if (bad)
            return -1;
        if (is_category)
            name_category(file, build, category);
        if (is_label)
            build->label = label > 0 && label <= UINT32_MAX ? (uint32_t)label : 0;
    }
    return more;
}

/* The first of the places that belong to an image or a later one. */
static size_t first_place(const struct annot_file *file, size_t image)
{
    const struct coco_place *places = file->places.items;
    size_t low = 0, high = file->places.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (places[middle].image < image)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int coco_read(struct annot_file *file, size_t image, annot_take *take, void *user, struct err *err)
{
    const struct coco_place *places = file->places.items;
    const struct coco_image *about = (const struct coco_image *)file->images.items + image;
    struct build build = build_new();
    struct annot_object object;
    int result = 0;
    for (size_t i = first_place(file, image);
         result == 0 && i < file->places.count && places[i].image == image; i++) {
        struct scan scan = file_scan(file, (const char *)file->bytes.data + places[i].at);
        result = read_annotation(file, &scan, &build, err) || check_runs(&build, about, err) ||
                 take(user, build_object(&build, &object), err);
    }
    build_free(&build);
    return result ? -1 : 0;
}
