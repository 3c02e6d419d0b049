/* COCO object detection JSON: images, categories, and annotations of which only
 * the places in the file are kept, sorted by image.  Also a bare list of annotations, as
 * results are written: its images are those that they name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annot/file.h"
#include "annot/points.h"
#include "annot/rle.h"
#include "core/names.h"

#define MAX_SIDE INT64_C(0x7fffffff)
#define MAX_ID   256

/* ---- the index ---- */

static int64_t side(int64_t number)
{
    return number < 1 || number > MAX_SIDE ? 0 : number;
}

/* What it is called: file_name, else another key that says it, else its id. */
static int read_image(struct annot_file *file, struct scan *scan, struct err *err)
{
    char key[32], name[1024] = "", other[1024] = "", id[MAX_ID] = "";
    int64_t width = 0, height = 0;
    bool first = true;
    int more;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int bad = strcmp(key, "id") == 0          ? scan_word(scan, id, sizeof id, err)
                  : strcmp(key, "width") == 0     ? scan_count(scan, &width, err)
                  : strcmp(key, "height") == 0    ? scan_count(scan, &height, err)
                  : strcmp(key, "file_name") == 0 ? scan_word(scan, name, sizeof name, err)
                  : strcmp(key, "path") == 0      ? scan_word(scan, other, sizeof other, err)
                                                  : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    if (more < 0)
        return -1;
    if (!id[0])
        return scan_wrong(scan, "an image without id", err);
    return file_add_image(file,
                          name[0]    ? name
                          : other[0] ? other
                                     : id,
                          id, side(width), side(height), err);
}

static int read_images(struct annot_file *file, const char *at, struct err *err)
{
    struct scan scan = file_scan(file, at);
    bool first = true;
    int more;
    while ((more = scan_item(&scan, &first, err)) > 0)
        if (read_image(file, &scan, err))
            return -1;
    return more;
}

static int read_category(struct scan *scan, struct coco_category *category, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    *category = (struct coco_category){0};
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int bad = strcmp(key, "id") == 0 ? scan_word(scan, category->id, sizeof category->id, err)
                  : strcmp(key, "name") == 0
                      ? scan_word(scan, category->name, sizeof category->name, err)
                      : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    return more;
}

static int compare_categories(const void *a, const void *b)
{
    return strcmp(((const struct coco_category *)a)->id, ((const struct coco_category *)b)->id);
}

static int read_categories(struct annot_file *file, const char *at, struct err *err)
{
    struct scan scan = file_scan(file, at);
    bool first = true;
    int more;
    if (scan_peek(&scan) != '[')
        return 0;
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
    const char *id;
    size_t image;
};

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct id *)a)->id, ((const struct id *)b)->id);
}

static struct id *sort_ids(const struct annot_file *file, struct err *err)
{
    const struct file_image *images = file->images.items;
    size_t n = file->images.count;
    struct id *ids = malloc((n + 1) * sizeof *ids);
    if (!ids) {
        err_memory(err, "annotations");
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        ids[i] = (struct id){images[i].id, i};
    qsort(ids, n, sizeof *ids, compare_ids);
    return ids;
}

static void free_image(struct file_image *image)
{
    free(image->name);
    free(image->id);
    *image = (struct file_image){0};
}

/* An image that is listed twice, as when data sets are joined, is one. */
static int drop_doubles(struct annot_file *file, struct err *err)
{
    struct file_image *images = file->images.items;
    struct id *ids = sort_ids(file, err);
    size_t kept = 0, n = file->images.count, same = 0;
    int result = ids ? 0 : -1;
    for (size_t i = 1; i < n && result == 0; i++) {
        if (strcmp(ids[i].id, ids[same].id) != 0)
            same = i;
        else if (strcmp(images[ids[i].image].name, images[ids[same].image].name) == 0)
            free_image(&images[ids[i].image]);
        else
            result = err_set(err, STATUS_DATA, "two images have the id %.100s", ids[i].id);
    }
    for (size_t i = 0; i < n && result == 0; i++)
        if (images[i].name)
            images[kept++] = images[i];
    file->images.count = result ? n : kept;
    free(ids);
    return result;
}

/* ---- where annotations are ---- */

/* What an annotation says of its image. */
struct about {
    char id[MAX_ID];
    int64_t width, height; /* of its run lengths, else 0 */
};

static int read_size(struct scan *scan, int64_t *height, int64_t *width, struct err *err)
{
    bool first = true;
    if (scan_item(scan, &first, err) < 1 || scan_integer(scan, height, err) ||
        scan_item(scan, &first, err) < 1 || scan_integer(scan, width, err) ||
        scan_item(scan, &first, err) != 0)
        return scan_wrong(scan, "run lengths without their size", err);
    return 0;
}

/* The size in an object of run lengths; none in anything else. */
static int look_for_size(struct scan *scan, struct about *about, struct err *err)
{
    struct err none;
    char key[32];
    bool first = true;
    int more;
    if (scan_peek(scan) != '{')
        return scan_skip(scan, err);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        struct scan copy = *scan;
        if (strcmp(key, "size") == 0 && read_size(&copy, &about->height, &about->width, &none))
            about->height = about->width = 0;
        if (scan_skip(scan, err))
            return -1;
    }
    return more;
}

static int read_about(struct scan *scan, struct about *about, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    *about = (struct about){0};
    if (scan_peek(scan) != '{')
        return scan_skip(scan, err);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int bad = strcmp(key, "image_id") == 0 ? scan_word(scan, about->id, sizeof about->id, err)
                  : strcmp(key, "segmentation") == 0 ? look_for_size(scan, about, err)
                                                     : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    return more;
}

/* A list, or an object whose values they are, as in some LIVECell files. */
static struct scan_walk list_annotations(const struct annot_file *file)
{
    return scan_walk(
        file_scan(file, file_is_list(file) ? file->root.at : file_value(file, "annotations")));
}

static int add_places(struct annot_file *file, const struct id *ids, size_t count, struct err *err)
{
    struct scan_walk walk = list_annotations(file);
    struct about about;
    int more;
    while ((more = scan_next(&walk, err)) > 0) {
        scan_peek(&walk.scan);
        struct file_place place = {.at = (size_t)(walk.scan.at - walk.scan.begin)};
        if (read_about(&walk.scan, &about, err))
            return -1;
        struct id wanted = {about.id, 0};
        const struct id *found =
            about.id[0] ? bsearch(&wanted, ids, count, sizeof *ids, compare_ids) : NULL;
        file->orphans += !found;
        place.image = found ? found->image : 0;
        if (found && growing_add(&file->places, &place, err))
            return -1;
    }
    return more;
}

/* ---- images that only annotations name ---- */

static int name_images(struct annot_file *file, struct err *err)
{
    struct scan_walk walk = list_annotations(file);
    struct about about;
    struct names ids = {0};
    int more, is_new = 0;
    while ((more = scan_next(&walk, err)) > 0) {
        if (read_about(&walk.scan, &about, err) ||
            (about.id[0] && (is_new = names_add(&ids, about.id, err)) < 0) ||
            (about.id[0] && is_new &&
             file_add_image(file, about.id, about.id, side(about.width), side(about.height),
                            err))) {
            more = -1;
            break;
        }
    }
    names_free(&ids);
    return more;
}

static int compare_places(const void *a, const void *b)
{
    const struct file_place *x = a, *y = b;
    if (x->image != y->image)
        return x->image < y->image ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static bool is_coco(const struct annot_file *file)
{
    if (file_is_list(file))
        return file_value(file, "image_id") &&
               (file_value(file, "segmentation") || file_value(file, "bbox"));
    return file_value(file, "annotations") && !file_value(file, "shapes");
}

static int find_places(struct annot_file *file, struct err *err)
{
    struct id *ids = sort_ids(file, err);
    int result = ids ? add_places(file, ids, file->images.count, err) : -1;
    free(ids);
    if (result == 0 && file->places.count)
        qsort(file->places.items, file->places.count, file->places.size, compare_places);
    if (result == 0 && file->places.count == 0 && file->orphans)
        return err_set(err, STATUS_DATA, "no annotation is of an image that is listed");
    return result;
}

static int coco_open(struct annot_file *file, struct err *err)
{
    const char *images = file_is_list(file) ? NULL : file_value(file, "images");
    const char *categories = file_is_list(file) ? NULL : file_value(file, "categories");
    if (images ? read_images(file, images, err) : name_images(file, err))
        return -1;
    if (categories && read_categories(file, categories, err))
        return -1;
    return drop_doubles(file, err) || find_places(file, err) ? -1 : 0;
}

/* ---- annotations ---- */

/* A list of numbers, or of points. */
static int read_polygon(struct scan *scan, struct build *build, struct err *err)
{
    struct scan inside = *scan;
    bool first = true;
    if (build_piece(build, err))
        return -1;
    bool pairs = scan_item(&inside, &first, err) > 0 && scan_peek(&inside) == '[';
    return pairs ? points_of_pairs(scan, build, err) : points_of_numbers(scan, build, err);
}

/* A list of polygons, or a single one as a list of its numbers. */
static int read_polygons(struct scan *scan, struct build *build, struct err *err)
{
    struct scan inside = *scan;
    bool first = true;
    int more;
    if (scan_item(&inside, &first, err) > 0 && scan_peek(&inside) != '[')
        return read_polygon(scan, build, err);
    first = true;
    while ((more = scan_item(scan, &first, err)) > 0)
        if (read_polygon(scan, build, err))
            return -1;
    return more;
}

static int read_run_list(struct scan *scan, struct build *build, struct err *err)
{
    bool first = true;
    int more;
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
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        bool counts = strcmp(key, "counts") == 0;
        int bad = strcmp(key, "size") == 0
                      ? read_size(scan, &build->run_height, &build->run_width, err)
                  : counts && scan_peek(scan) == '"' ? read_run_text(scan, build, err)
                  : counts                           ? read_run_list(scan, build, err)
                                                     : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    return more;
}

static int check_runs(const struct build *build, const struct file_image *image, struct err *err)
{
    const uint32_t *runs = build->runs.items;
    uint64_t total = 0;
    for (size_t i = 0; i < build->runs.count; i++)
        total += runs[i];
    if (build->runs.count == 0)
        return 0;
    if (build->run_width < 1 || build->run_height < 1 || build->run_width > MAX_SIDE ||
        build->run_height > MAX_SIDE ||
        total != (uint64_t)build->run_width * (uint64_t)build->run_height ||
        (image->width && image->width != build->run_width) ||
        (image->height && image->height != build->run_height))
        return err_set(err, STATUS_DATA, "run lengths that do not fill their image");
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

static void name_category(const struct annot_file *file, struct build *build, const char *id)
{
    struct coco_category wanted = {0};
    snprintf(wanted.id, sizeof wanted.id, "%s", id);
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
    char key[32], category[64] = "";
    int64_t label = 0;
    bool first = true;
    int more;
    build_reset(build);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int bad = strcmp(key, "segmentation") == 0 ? read_segmentation(scan, build, err)
                  : strcmp(key, "category_id") == 0
                      ? scan_word(scan, category, sizeof category, err)
                  : strcmp(key, "label") == 0 ? scan_count(scan, &label, err)
                                              : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    if (category[0])
        name_category(file, build, category);
    build->label = label > 0 && label <= UINT32_MAX ? (uint32_t)label : 0;
    return more;
}

/* The first of the places that belong to an image or a later one. */
static size_t first_place(const struct annot_file *file, size_t image)
{
    const struct file_place *places = file->places.items;
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

static int coco_read(struct annot_file *file, size_t image, annot_take *take, void *user,
                     struct err *err)
{
    const struct file_place *places = file->places.items;
    const struct file_image *about = (const struct file_image *)file->images.items + image;
    struct build build = build_new();
    int result = 0;
    size_t begin = first_place(file, image);
    for (size_t i = begin; result == 0 && i < file->places.count && places[i].image == image; i++) {
        struct scan scan = file_scan(file, file->root.begin + places[i].at);
        int bad = read_annotation(file, &scan, &build, err) || check_runs(&build, about, err);
        result = file_give(file, &build, bad, "annotation", i - begin + 1, take, user, err);
    }
    build_free(&build);
    return result ? -1 : 0;
}

const struct annot_reader read_coco = {is_coco, coco_open, coco_read};
