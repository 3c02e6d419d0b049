/* LabelMe: a JSON file an image, with shapes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annot/build.h"
#include "annot/file.h"
#include "annot/points.h"

struct shape {
    char class_name[BUILD_NAME], type[32];
    bool grouped;
    int64_t group;
    struct scan points; /* at == NULL when there are none */
    size_t number;      /* in the file */
    size_t next;        /* shape of the group, SIZE_MAX when there is none */
    bool follows;       /* is the next of another one */
};

int labelme_open(struct annot_file *file, struct err *err)
{
    struct scan scan = file->root;
    struct coco_image image = {0};
    char key[32], name[1024] = "";
    bool first = true;
    int more;
    if (scan_open(&scan, '{', err))
        return -1;
    while ((more = scan_key(&scan, &first, key, sizeof key, err)) > 0) {
        char c = scan_peek(&scan);
        bool number = c >= '0' && c <= '9';
        int bad =
            strcmp(key, "imagePath") == 0 && c == '"'   ? scan_string(&scan, name, sizeof name, err)
            : strcmp(key, "imageWidth") == 0 && number  ? scan_integer(&scan, &image.width, err)
            : strcmp(key, "imageHeight") == 0 && number ? scan_integer(&scan, &image.height, err)
                                                        : scan_skip(&scan, err);
        if (bad)
            return -1;
    }
    image.name = strdup(name[0] ? name : file->path);
    if (!image.name)
        return err_memory(err, "annotations");
    if (growing_add(&file->images, &image, err)) {
        free(image.name);
        return -1;
    }
    return more;
}

static int read_shape(struct scan *scan, struct shape *shape, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    *shape = (struct shape){.type = "polygon"};
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        char c = scan_peek(scan);
        shape->grouped |= strcmp(key, "group_id") == 0 && c != 'n';
        if (strcmp(key, "points") == 0)
            shape->points = *scan;
        int bad = strcmp(key, "label") == 0 && c == '"'
                      ? scan_string(scan, shape->class_name, BUILD_NAME, err)
                  : strcmp(key, "shape_type") == 0 && c == '"'
                      ? scan_string(scan, shape->type, sizeof shape->type, err)
                  : strcmp(key, "group_id") == 0 && c != 'n'
                      ? scan_integer(scan, &shape->group, err)
                      : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    return more;
}

/* Two points make a rectangle by its corners, or a circle by its centre and a
 * point on it; they are replaced by the outline. */
static int replace_two(struct build *build, bool circle, struct err *err)
{
    struct annot_ring *rings = build->rings.items;
    struct annot_piece *pieces = build->pieces.items;
    if (rings[build->rings.count - 1].n != 2)
        return err_set(err, STATUS_DATA, "a rectangle or circle without two points");
    const double *p = (double *)build->points.items + build->points.count - 4;
    double x = p[0], y = p[1], dx = p[2] - p[0], dy = p[3] - p[1], radius = hypot(dx, dy);
    build->points.count -= 4;
    build->rings.count--;
    pieces[build->pieces.count - 1].count--;
    return circle ? build_ellipse(build, x - radius, y - radius, 2 * radius, 2 * radius, err)
                  : build_rectangle(build, x, y, dx, dy, err);
}

static int add_shape(const struct shape *shape, struct build *build, struct err *err)
{
    bool circle = strcmp(shape->type, "circle") == 0;
    bool rectangle = strcmp(shape->type, "rectangle") == 0;
    if (!circle && !rectangle && strcmp(shape->type, "polygon") != 0)
        return err_set(err, STATUS_DATA, "a shape of type '%s' has no area or is not supported",
                       shape->type);
    if (!shape->points.at)
        return err_set(err, STATUS_DATA, "a shape without points");
    struct scan points = shape->points;
    if (build_piece(build, err) || points_of_pairs(&points, build, err))
        return -1;
    const struct annot_ring *rings = build->rings.items;
    bool four_corners = rectangle && rings[build->rings.count - 1].n == 4;
    return (circle || rectangle) && !four_corners ? replace_two(build, circle, err) : 0;
}

static int load_shapes(struct annot_file *file, struct growing *shapes, struct err *err)
{
    struct scan scan = file_scan(file, file->values);
    struct shape shape;
    bool first = true;
    int more;
    if (scan_open(&scan, '[', err))
        return -1;
    while ((more = scan_item(&scan, &first, err)) > 0)
        if (read_shape(&scan, &shape, err) || growing_add(shapes, &shape, err))
            return -1;
    return more;
}

/* By label and group, then as in the file; those without a group come first. */
static int compare_groups(const void *a, const void *b)
{
    const struct shape *x = *(struct shape *const *)a, *y = *(struct shape *const *)b;
    if (x->grouped != y->grouped)
        return x->grouped - y->grouped;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    int names = strcmp(x->class_name, y->class_name);
    return names ? names : (x->number > y->number) - (x->number < y->number);
}

static bool together(const struct shape *a, const struct shape *b)
{
    return a->grouped && b->grouped && a->group == b->group &&
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

/* Shapes of one label and group are one object. */
static int give_group(const struct shape *shapes, size_t i, struct build *build, annot_take *take,
                      void *user, struct err *err)
{
    struct annot_object object;
    build_reset(build);
    memcpy(build->class_name, shapes[i].class_name, BUILD_NAME);
    for (; i != SIZE_MAX; i = shapes[i].next)
        if (add_shape(&shapes[i], build, err))
            return -1;
    return take(user, build_object(build, &object), err);
}

int labelme_read(struct annot_file *file, annot_take *take, void *user, struct err *err)
{
    struct growing list = {.size = sizeof(struct shape)};
    struct build build = build_new();
    int result = load_shapes(file, &list, err) || join_groups(&list, err) ? -1 : 0;
    const struct shape *shapes = list.items;
    for (size_t i = 0; i < list.count && result == 0; i++)
        if (!shapes[i].follows)
            result = give_group(shapes, i, &build, take, user, err);
    build_free(&build);
    growing_free(&list);
    return result;
}
