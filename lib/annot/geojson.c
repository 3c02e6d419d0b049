/* GeoJSON (RFC 7946) as QuPath writes it: features with polygons in pixels. */
#include <string.h>

#include "annot/build.h"
#include "annot/file.h"
#include "annot/points.h"

#define MAX_NESTING 8 /* of geometry collections */

static int read_polygon(struct scan *scan, struct build *build, struct err *err)
{
    bool first = true;
    int more;
    if (build_piece(build, err))
        return -1;
    while ((more = scan_item(scan, &first, err)) > 0)
        if (points_of_pairs(scan, build, err))
            return -1;
    return more;
}

static int read_polygons(struct scan *scan, struct build *build, struct err *err)
{
    bool first = true;
    int more;
    while ((more = scan_item(scan, &first, err)) > 0)
        if (read_polygon(scan, build, err))
            return -1;
    return more;
}

static int read_geometry(struct scan *scan, struct build *build, int depth, struct err *err);

static int read_geometries(struct scan *scan, struct build *build, int depth, struct err *err)
{
    bool first = true;
    int more;
    if (depth == MAX_NESTING)
        return scan_wrong(scan, "geometries that are nested too deep", err);
    while ((more = scan_item(scan, &first, err)) > 0)
        if (read_geometry(scan, build, depth + 1, err))
            return -1;
    return more;
}

static int read_shape(struct scan *scan, const char *type, struct build *build, int depth,
                      struct err *err)
{
    static const char *const without_area[] = {"Point", "MultiPoint", "LineString",
                                               "MultiLineString"};
    if (strcmp(type, "Polygon") == 0)
        return read_polygon(scan, build, err);
    if (strcmp(type, "MultiPolygon") == 0)
        return read_polygons(scan, build, err);
    if (strcmp(type, "GeometryCollection") == 0)
        return read_geometries(scan, build, depth, err);
    for (int i = 0; i < 4; i++)
        if (strcmp(type, without_area[i]) == 0)
            return depth ? 0 : build_no_area(build, type, err);
    return err_set(err, STATUS_DATA, "a geometry of type '%s'", type);
}

/* QuPath's: numbers from 0, a channel of -1 for all. */
static int read_plane(struct scan *scan, struct build *build, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    if (scan_peek(scan) != '{')
        return scan_skip(scan, err);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int64_t number;
        if (scan_count(scan, &number, err))
            return -1;
        int64_t *to = strcmp(key, "c") == 0   ? &build->plane.channel
                      : strcmp(key, "z") == 0 ? &build->plane.z
                      : strcmp(key, "t") == 0 ? &build->plane.t
                                              : NULL;
        if (to)
            *to = number + 1;
    }
    return more;
}

/* The type may follow the coordinates. */
static int read_geometry(struct scan *scan, struct build *build, int depth, struct err *err)
{
    char key[32], type[32] = "";
    struct scan shape = {0};
    bool first = true;
    int more;
    if (scan_peek(scan) == 'n')
        return scan_skip(scan, err);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        bool is_type = strcmp(key, "type") == 0;
        if (strcmp(key, "coordinates") == 0 || strcmp(key, "geometries") == 0)
            shape = *scan;
        if (is_type                     ? scan_word(scan, type, sizeof type, err)
            : strcmp(key, "plane") == 0 ? read_plane(scan, build, err)
                                        : scan_skip(scan, err))
            return -1;
    }
    if (more < 0)
        return -1;
    if (!shape.at)
        return scan_wrong(scan, "a geometry without coordinates", err);
    return read_shape(&shape, type, build, depth, err);
}

/* A name, or an object with a "name", or with "names" of which the first counts. */
static int read_classification(struct scan *scan, struct build *build, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    if (scan_peek(scan) == '"')
        return scan_string(scan, build->class_name, BUILD_NAME, err);
    if (scan_peek(scan) != '{')
        return scan_skip(scan, err);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        struct scan value = *scan;
        bool in_list = true;
        if (strcmp(key, "name") == 0 && scan_peek(&value) == '"' &&
            scan_string(&value, build->class_name, BUILD_NAME, err))
            return -1;
        if (strcmp(key, "names") == 0 && scan_peek(&value) == '[' &&
            scan_item(&value, &in_list, err) > 0 &&
            scan_string(&value, build->class_name, BUILD_NAME, err))
            return -1;
        if (scan_skip(scan, err))
            return -1;
    }
    return more;
}

static int read_properties(struct scan *scan, struct build *build, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    if (scan_peek(scan) != '{')
        return scan_skip(scan, err);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int64_t label = 0;
        int bad = strcmp(key, "classification") == 0 ? read_classification(scan, build, err)
                  : strcmp(key, "label") == 0        ? scan_count(scan, &label, err)
                                                     : scan_skip(scan, err);
        if (bad)
            return -1;
        if (label > 0 && label <= UINT32_MAX)
            build->label = (uint32_t)label;
    }
    return more;
}

static int read_feature(struct scan *scan, struct build *build, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    build_reset(build);
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        build->has_geometry |= strcmp(key, "geometry") == 0;
        int bad = strcmp(key, "geometry") == 0     ? read_geometry(scan, build, 0, err)
                  : strcmp(key, "properties") == 0 ? read_properties(scan, build, err)
                                                   : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    return more;
}

/* A feature, or a bare geometry. */
static int read_object(const struct annot_file *file, struct scan *scan, struct build *build,
                       struct err *err)
{
    const struct file_image *image = file->images.items;
    struct scan copy = *scan;
    if (read_feature(&copy, build, err) ||
        (!build->has_geometry && read_geometry(scan, build, 0, err)))
        return -1;
    if (image->scales && file->paint_width > 0)
        build_scale(build, (double)file->paint_width / (double)image->width,
                    (double)file->paint_height / (double)image->height);
    return 0;
}

static int give_one(struct annot_file *file, annot_take *take, void *user, struct err *err)
{
    struct build build = build_new();
    struct scan scan = file->root;
    int result = file_give(file, &build, read_object(file, &scan, &build, err), "feature", 1, take,
                           user, err);
    build_free(&build);
    return result;
}

/* The list of features, or of geometries alone, or a single one of either. */
static int read_file(struct annot_file *file, size_t image, annot_take *take, void *user,
                     struct err *err)
{
    const char *list = file_is_list(file) ? file->root.at : file_value(file, "features");
    if (!list && !file_value(file, "geometry"))
        list = file_value(file, "geometries");
    (void)image;
    return list
               ? file_give_all(file, file_scan(file, list), read_object, "feature", take, user, err)
               : give_one(file, take, user, err);
}

/* Files of ours tell the size of a slide whose level they are of. */
static int open_geojson(struct annot_file *file, struct err *err)
{
    const char *at = file_is_list(file) ? NULL : file_value(file, "image");
    char key[32];
    bool first = true;
    int more = 0;
    int64_t size[2] = {-1, -1};
    struct scan scan = file_scan(file, at);
    if (at && scan_peek(&scan) == '{') {
        while ((more = scan_key(&scan, &first, key, sizeof key, err)) > 0) {
            int64_t number;
            if (scan_count(&scan, &number, err))
                return -1;
            if (strcmp(key, "width") == 0 || strcmp(key, "height") == 0)
                size[key[0] == 'h'] = number;
        }
    }
    bool known = size[0] > 0 && size[1] > 0 && size[0] <= INT32_MAX && size[1] <= INT32_MAX;
    if (more < 0 ||
        file_add_image(file, file->path, NULL, known ? size[0] : 0, known ? size[1] : 0, err))
        return -1;
    ((struct file_image *)file->images.items)->scales = known;
    return 0;
}

/* A list may be empty, else it is one of features or geometries. */
static bool is_geojson(const struct annot_file *file)
{
    struct scan scan = file->root;
    struct err err;
    bool first = true;
    if (file_is_list(file) && scan_item(&scan, &first, &err) == 0)
        return true;
    return file_value(file, "geometry") || file_value(file, "coordinates") ||
           file_value(file, "geometries") || (!file_is_list(file) && file_value(file, "features"));
}

const struct annot_reader read_geojson = {is_geojson, open_geojson, read_file};
