/* LabelMe: a JSON file an image, with shapes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annot/build.h"
#include "annot/file.h"
#include "annot/png_mask.h"
#include "annot/points.h"

struct shape {
    char class_name[BUILD_NAME], type[32];
    char group[64];
    struct scan points, mask; /* at == NULL when there are none */
    size_t number;            /* in the file */
    size_t next;              /* shape of the group, SIZE_MAX when there is none */
    bool follows;             /* is the next of another one */
};

static int labelme_open(struct annot_file *file, struct err *err)
{
    char name[1024] = "";
    int64_t width = 0, height = 0;
    struct scan scan;
    if (file_value(file, "imagePath")) {
        scan = file_scan(file, file_value(file, "imagePath"));
        if (scan_word(&scan, name, sizeof name, err))
            return -1;
    }
    if (file_value(file, "imageWidth") && file_value(file, "imageHeight")) {
        scan = file_scan(file, file_value(file, "imageWidth"));
        if (scan_count(&scan, &width, err))
            return -1;
        scan = file_scan(file, file_value(file, "imageHeight"));
        if (scan_count(&scan, &height, err))
            return -1;
    }
    bool known = width > 0 && height > 0 && width <= INT32_MAX && height <= INT32_MAX;
    return file_add_image(file, name[0] ? name : file->path, NULL, known ? width : 0,
                          known ? height : 0, err);
}

static int read_shape(struct scan *scan, struct shape *shape, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    *shape = (struct shape){.type = "polygon"};
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        scan_peek(scan);
        if (strcmp(key, "points") == 0)
            shape->points = *scan;
        if (strcmp(key, "mask") == 0 && *scan->at == '"')
            shape->mask = *scan;
        int bad =
            strcmp(key, "label") == 0        ? scan_word(scan, shape->class_name, BUILD_NAME, err)
            : strcmp(key, "shape_type") == 0 ? scan_word(scan, shape->type, sizeof shape->type, err)
            : strcmp(key, "group_id") == 0 ? scan_word(scan, shape->group, sizeof shape->group, err)
                                           : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    if (!shape->type[0]) /* null */
        strcpy(shape->type, "polygon");
    return more;
}

/* Two points make a rectangle by its corners, or a circle by its center and a
 * point on it; they are replaced by the outline. */
static int replace_two(struct build *build, bool circle, struct err *err)
{
    struct annot_ring *rings = build->rings.items;
    if (rings[build->rings.count - 1].n != 2)
        return err_set(err, STATUS_DATA, "a rectangle or circle without two points");
    const double *p = (double *)build->points.items + build->points.count - 4;
    double x = p[0], y = p[1], dx = p[2] - p[0], dy = p[3] - p[1], radius = hypot(dx, dy);
    build_drop_ring(build);
    return circle ? build_ellipse(build, x - radius, y - radius, 2 * radius, 2 * radius, err)
                  : build_rectangle(build, x, y, dx, dy, err);
}

static int has_type(const struct shape *shape, const char *const *types)
{
    for (; *types; types++)
        if (strcmp(shape->type, *types) == 0)
            return true;
    return false;
}

/* A mask lies with its first pixel where the first of two points says. */
static int add_mask(const struct shape *shape, struct build *build, struct err *err)
{
    struct scan mask = shape->mask;
    if (!mask.at)
        return err_set(err, STATUS_DATA, "a mask without its pixels");
    const double *corner = (double *)build->points.items + build->points.count - 4;
    const struct annot_ring *ring =
        (struct annot_ring *)build->rings.items + build->rings.count - 1;
    if (ring->n != 2)
        return err_set(err, STATUS_DATA, "a mask without two points");
    if (build->runs.count)
        return err_set(err, STATUS_DATA, "a second mask in a group");
    int64_t x = (int64_t)corner[0], y = (int64_t)corner[1];
    build_drop_ring(build);
    return png_mask(&mask, build, x, y, err);
}

/* LabelMe's types, and those that X-AnyLabeling adds. */
static int add_shape(const struct shape *shape, struct build *build, struct err *err)
{
    static const char *const areas[] = {"polygon",       "rotation",  "oriented_rectangle",
                                        "quadrilateral", "rectangle", "circle",
                                        "mask",          NULL};
    static const char *const no_areas[] = {"line", "linestrip", "point", "points", NULL};
    bool circle = strcmp(shape->type, "circle") == 0;
    bool rectangle = strcmp(shape->type, "rectangle") == 0;
    if (has_type(shape, no_areas))
        return build_no_area(build, shape->type, err);
    if (!has_type(shape, areas))
        return err_set(err, STATUS_DATA, "a shape of type '%s'", shape->type);
    if (!shape->points.at)
        return err_set(err, STATUS_DATA, "a shape without points");
    struct scan points = shape->points;
    if (build_piece(build, err) || points_of_pairs(&points, build, err))
        return -1;
    if (strcmp(shape->type, "mask") == 0)
        return add_mask(shape, build, err);
    const struct annot_ring *rings = build->rings.items;
    bool four_corners = rectangle && rings[build->rings.count - 1].n == 4;
    return (circle || rectangle) && !four_corners ? replace_two(build, circle, err) : 0;
}

static int load_shapes(struct annot_file *file, struct growing *shapes, struct err *err)
{
    struct scan scan = file_scan(file, file_value(file, "shapes"));
    bool first = true;
    int more;
    while ((more = scan_item(&scan, &first, err)) > 0) {
        struct scan object = scan;
        struct shape shape;
        if (scan_skip(&scan, err))
            return -1;
        if (read_shape(&object, &shape, err)) /* no object: found out when it is added */
            shape = (struct shape){.type = "?"};
        if (growing_add(shapes, &shape, err))
            return -1;
    }
    return more;
}

/* By label and group, then as in the file; those without a group come first. */
static int compare_groups(const void *a, const void *b)
{
    const struct shape *x = *(struct shape *const *)a, *y = *(struct shape *const *)b;
    int groups = strcmp(x->group, y->group), names = strcmp(x->class_name, y->class_name);
    return groups ? groups : names ? names : (x->number > y->number) - (x->number < y->number);
}

static bool together(const struct shape *a, const struct shape *b)
{
    return a->group[0] && strcmp(a->group, b->group) == 0 &&
           strcmp(a->class_name, b->class_name) == 0;
}

/* Makes a chain of the shapes of each group. */
static int join_groups(struct growing *list, struct err *err)
{
    struct shape *shapes = list->items, **sorted = malloc((list->count + 1) * sizeof *sorted);
    if (!sorted)
        return err_memory(err, "annotations");
    for (size_t i = 0; i < list->count; i++) {
        shapes[i].number = i;
        shapes[i].next = SIZE_MAX;
        sorted[i] = &shapes[i];
    }
    qsort(sorted, list->count, sizeof(struct shape *), compare_groups);
    for (size_t i = 1; i < list->count; i++)
        if (together(sorted[i - 1], sorted[i])) {
            sorted[i - 1]->next = sorted[i]->number;
            sorted[i]->follows = true;
        }
    free(sorted);
    return 0;
}

/* Shapes of one label and group are one object; lines and points among them add nothing. */
static int build_group(const struct shape *shapes, size_t i, struct build *build, struct err *err)
{
    bool has_area = false;
    struct err first = {0};
    build_reset(build);
    memcpy(build->class_name, shapes[i].class_name, BUILD_NAME);
    for (; i != SIZE_MAX; i = shapes[i].next) {
        int bad = add_shape(&shapes[i], build, err);
        if (bad && !build->no_area)
            return -1;
        first = bad ? *err : first;
        has_area |= !bad;
        build->no_area = false;
    }
    if (has_area)
        return 0;
    build->no_area = true;
    *err = first;
    return -1;
}

static int labelme_read(struct annot_file *file, size_t image, annot_take *take, void *user,
                        struct err *err)
{
    struct growing list = {.size = sizeof(struct shape)};
    struct build build = build_new();
    (void)image;
    int result = load_shapes(file, &list, err) || join_groups(&list, err) ? -1 : 0;
    const struct shape *shapes = list.items;
    for (size_t i = 0; i < list.count && result == 0; i++)
        if (!shapes[i].follows)
            result = file_give(file, &build, build_group(shapes, i, &build, err), "shape", i + 1,
                               take, user, err);
    build_free(&build);
    growing_free(&list);
    return result;
}

static bool is_labelme(const struct annot_file *file)
{
    return !file_is_list(file) && file_value(file, "shapes");
}

const struct annot_reader read_labelme = {is_labelme, labelme_open, labelme_read};
