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
    if (scan_open(scan, '[', err) || build_piece(build, err))
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
    if (scan_open(scan, '[', err))
        return -1;
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
    if (scan_open(scan, '[', err))
        return -1;
    while ((more = scan_item(scan, &first, err)) > 0)
        if (read_geometry(scan, build, depth + 1, err))
            return -1;
    return more;
}

static int read_shape(struct scan *scan, const char *type, struct build *build, int depth,
                      struct err *err)
{
    if (strcmp(type, "Polygon") == 0)
        return read_polygon(scan, build, err);
    if (strcmp(type, "MultiPolygon") == 0)
        return read_polygons(scan, build, err);
    if (strcmp(type, "GeometryCollection") == 0)
        return read_geometries(scan, build, depth, err);
    return err_set(err, STATUS_DATA, "a geometry of type '%s' has no area", type);
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
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        bool is_type = strcmp(key, "type") == 0;
        if (strcmp(key, "coordinates") == 0 || strcmp(key, "geometries") == 0)
            shape = *scan;
        if (is_type ? scan_string(scan, type, sizeof type, err) : scan_skip(scan, err))
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
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        struct scan value = *scan;
        bool in_list = true;
        if (strcmp(key, "name") == 0 && scan_peek(&value) == '"' &&
            scan_string(&value, build->class_name, BUILD_NAME, err))
            return -1;
        if (strcmp(key, "names") == 0 && scan_peek(&value) == '[' &&
            scan_open(&value, '[', err) == 0 && scan_item(&value, &in_list, err) > 0 &&
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
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int64_t label = 0;
        bool is_label = strcmp(key, "label") == 0;
        char c = scan_peek(scan);
        int bad = strcmp(key, "classification") == 0 ? read_classification(scan, build, err)
                  : is_label && c >= '0' && c <= '9' ? scan_integer(scan, &label, err)
                                                     : scan_skip(scan, err);
        if (bad)
            return -1;
        if (is_label)
            build->label = label <= UINT32_MAX ? (uint32_t)label : 0;
    }
    return more;
}

static int read_feature(struct scan *scan, struct build *build, struct err *err)
{
    char key[32];
    bool first = true;
    int more;
    build_reset(build);
    if (scan_open(scan, '{', err))
        return -1;
    while ((more = scan_key(scan, &first, key, sizeof key, err)) > 0) {
        int bad = strcmp(key, "geometry") == 0     ? read_geometry(scan, build, 0, err)
                  : strcmp(key, "properties") == 0 ? read_properties(scan, build, err)
                                                   : scan_skip(scan, err);
        if (bad)
            return -1;
    }
    return more;
}

static int give(struct build *build, annot_take *take, void *user, struct err *err)
{
    struct annot_object object;
    return take(user, build_object(build, &object), err);
}

/* The list of features, or a single one, or a bare geometry. */
static int read_file(struct annot_file *file, struct build *build, annot_take *take, void *user,
                     struct err *err)
{
    struct scan scan = file->root;
    bool first = true;
    int more;
    if (!file->values) {
        struct scan copy = scan;
        if (read_feature(&copy, build, err))
            return -1;
        if (build->pieces.count == 0 && read_geometry(&scan, build, 0, err))
            return -1;
        return give(build, take, user, err);
    }
    scan = file_scan(file, file->values);
    if (scan_open(&scan, '[', err))
        return -1;
    while ((more = scan_item(&scan, &first, err)) > 0)
        if (read_feature(&scan, build, err) || give(build, take, user, err))
            return -1;
    return more;
}

int geojson_read(struct annot_file *file, annot_take *take, void *user, struct err *err)
{
    struct build build = build_new();
    int result = read_file(file, &build, take, user, err);
    build_free(&build);
    return result;
}
