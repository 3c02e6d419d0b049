/* VGG Image Annotator 1 and 2: an object of images by a key, in a project beside its
 * settings or alone, each with regions, a list or an object.  Only the places of regions
 * are kept. */
#include <string.h>

#include "annot/file.h"

/* ---- the index ---- */

static int read_image(struct annot_file *file, struct scan *scan, struct err *err)
{
    char key[32], name[1024] = "";
    struct file_place place = {.image = file->images.count};
    bool first = true;
    int more;
    if (scan_peek(scan) != '{')
        return scan_skip(scan, err);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        char c = scan_peek(scan);
        if (strcmp(key, "regions") == 0 && (c == '[' || c == '{'))
            place.at = (size_t)(scan->at - scan->begin);
        if (strcmp(key, "filename") == 0 ? scan_word(scan, name, sizeof name, err)
                                         : scan_skip(scan, err))
            return -1;
    }
    if (more < 0 || !name[0])
        return more;
    return file_add_image(file, name, NULL, 0, 0, err) || growing_add(&file->places, &place, err)
               ? -1
               : 0;
}

static int open_via(struct annot_file *file, struct err *err)
{
    const char *images = file_value(file, "_via_img_metadata");
    struct scan scan = images ? file_scan(file, images) : file->root;
    bool first = true;
    int more;
    while ((more = scan_key(&scan, &first, NULL, 0, err)) > 0)
        if (read_image(file, &scan, err))
            return -1;
    return more;
}

/* Either the project, or its images alone: then the first of them tells. */
static bool is_via(const struct annot_file *file)
{
    struct err err;
    char key[32];
    bool first = true, has_name = false, has_regions = false;
    if (file_is_list(file))
        return false;
    if (file_value(file, "_via_img_metadata"))
        return true;
    struct scan scan = file->key_count ? file_scan(file, file->keys[0].at) : file->root;
    if (file->key_count == 0 || scan_peek(&scan) != '{')
        return false;
    while (scan_key(&scan, &first, key, sizeof key, &err) > 0) {
        has_name |= strcmp(key, "filename") == 0;
        has_regions |= strcmp(key, "regions") == 0;
        if (scan_skip(&scan, &err))
            return false;
    }
    return has_name && has_regions;
}

/* ---- regions ---- */

struct shape {
    char name[32];
    double x, y, width, height, cx, cy, r, rx, ry, theta;
    struct scan xs, ys; /* of polygons; at NULL when there are none */
};

static int read_shape_key(struct scan *scan, const char *key, struct shape *shape, struct err *err)
{
    const struct {
        const char *key;
        double *to;
    } numbers[] = {{"x", &shape->x},        {"y", &shape->y},           {"width", &shape->width},
                   {"cx", &shape->cx},      {"height", &shape->height}, {"cy", &shape->cy},
                   {"r", &shape->r},        {"rx", &shape->rx},         {"ry", &shape->ry},
                   {"theta", &shape->theta}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(key, numbers[i].key) == 0)
            return scan_number(scan, numbers[i].to, err);
    if (strcmp(key, "name") == 0)
        return scan_word(scan, shape->name, sizeof shape->name, err);
    if (strcmp(key, "all_points_x") == 0)
        shape->xs = *scan;
    if (strcmp(key, "all_points_y") == 0)
        shape->ys = *scan;
    return scan_skip(scan, err);
}

static int read_shape(struct scan *scan, struct shape *shape, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    *shape = (struct shape){0};
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0)
        if (read_shape_key(scan, key, shape, err))
            return -1;
    return more;
}

static int add_polygon(const struct shape *shape, struct build *build, struct err *err)
{
    struct scan xs = shape->xs, ys = shape->ys;
    bool first_x = true, first_y = true;
    if (!xs.at || !ys.at)
        return err_set(err, STATUS_DATA, "a polygon without points");
    if (build_ring(build, err))
        return -1;
    for (;;) {
        double x, y;
        int more_x = scan_item(&xs, &first_x, err), more_y = scan_item(&ys, &first_y, err);
        if (more_x < 0 || more_y < 0)
            return -1;
        if (more_x != more_y)
            return err_set(err, STATUS_DATA, "a polygon with half a point");
        if (more_x == 0)
            return 0;
        if (scan_number(&xs, &x, err) || scan_number(&ys, &y, err) || build_point(build, x, y, err))
            return -1;
    }
}

static int add_shape(const struct shape *s, struct build *build, struct err *err)
{
    if (build_piece(build, err))
        return -1;
    if (strcmp(s->name, "polygon") == 0)
        return add_polygon(s, build, err);
    if (strcmp(s->name, "rect") == 0)
        return build_rectangle(build, s->x, s->y, s->width, s->height, err);
    if (strcmp(s->name, "circle") == 0)
        return build_turned_ellipse(build, s->cx, s->cy, s->r, s->r, 0, err);
    if (strcmp(s->name, "ellipse") == 0)
        return build_turned_ellipse(build, s->cx, s->cy, s->rx, s->ry, s->theta, err);
    if (strcmp(s->name, "polyline") == 0 || strcmp(s->name, "point") == 0)
        return build_no_area(build, s->name, err);
    return err_set(err, STATUS_DATA, "a region of shape '%s'", s->name);
}

/* The class is the first attribute that has a text, or the first choice of one that has
 * choices. */
static int read_attributes(struct scan *scan, struct build *build, struct err *err)
{
    char key[BUILD_NAME];
    bool first = true;
    int more;
    if (scan_peek(scan) != '{')
        return scan_skip(scan, err);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        char c = scan_peek(scan);
        if (!build->class_name[0] && c == 't')
            memcpy(build->class_name, key, sizeof key);
        if (build->class_name[0] || (c != '"' && c != '{')) {
            if (scan_skip(scan, err))
                return -1;
        } else if (c == '"' ? scan_string(scan, build->class_name, BUILD_NAME, err)
                            : read_attributes(scan, build, err)) {
            return -1;
        }
    }
    return more;
}

static int read_region(const struct annot_file *file, struct scan *scan, struct build *build,
                       struct err *err)
{
    char key[32];
    struct shape shape = {0};
    bool first = true;
    int more;
    (void)file;
    build_reset(build);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int bad = strcmp(key, "shape_attributes") == 0    ? read_shape(scan, &shape, err)
                  : strcmp(key, "region_attributes") == 0 ? read_attributes(scan, build, err)
                                                          : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    return more < 0 ? -1 : add_shape(&shape, build, err);
}

static int read_via_image(struct annot_file *file, size_t image, annot_take *take, void *user,
                          struct err *err)
{
    const struct file_place *place = (const struct file_place *)file->places.items + image;
    if (place->at == 0)
        return 0;
    return file_give_all(file, file_scan(file, file->root.begin + place->at), read_region, "region",
                         take, user, err);
}

const struct annot_reader read_via = {is_via, open_via, read_via_image};
