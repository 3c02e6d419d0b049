#include "annot/roi.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEADER       64
#define HEADER2      64
#define VERSION      228
#define MAX_POSITION 60535 /* ImageJ takes what is above for a negative number */

enum {
    POLYGON,
    RECTANGLE,
    OVAL,
    LINE,
    FREE_LINE,
    POLYLINE,
    NOTHING,
    FREEHAND,
    TRACED,
    ANGLE,
    POINT,
    TYPES
};
enum { SPLINE_FIT = 1, SUB_PIXEL = 128 };
enum { SUBTYPE_TEXT = 1, SUBTYPE_ELLIPSE = 3, SUBTYPE_IMAGE = 4, SUBTYPE_TURNED_RECTANGLE = 5 };
enum segment { MOVE, LINE_TO, QUADRATIC, CUBIC, CLOSE };

/* ---- reading ---- */

static unsigned get16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* Coordinates are signed, but what would be below -5000 is large and unsigned. */
static int position(const unsigned char *p)
{
    int value = (int)get16(p);
    return value > 32767 && value - 65536 >= -5000 ? value - 65536 : value;
}

static double get_float(const unsigned char *p)
{
    uint32_t bits = get32(p);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int cut(struct err *err)
{
    return err_set(err, STATUS_DATA, "the ROI is cut");
}

/* Whole pixels relative to the box, then perhaps exact ones. */
static int parse_polygon(struct build *build, const unsigned char *data, size_t size,
                         struct err *err)
{
    size_t n = get16(data + 16);
    bool exact = get16(data + 50) & SUB_PIXEL && get16(data + 4) >= 222;
    if (n == 0)
        n = get32(data + 18);
    if (n > size || HEADER + n * (exact ? 12 : 4) > size)
        return cut(err);
    const unsigned char *p = data + HEADER;
    if (build_ring(build, err))
        return -1;
    for (size_t i = 0; i < n; i++) {
        double x =
            exact ? get_float(p + 4 * n + 4 * i) : position(data + 10) + (int)get16(p + 2 * i);
        double y = exact ? get_float(p + 8 * n + 4 * i)
                         : position(data + 8) + (int)get16(p + 2 * n + 2 * i);
        if (build_point(build, x, y, err))
            return -1;
    }
    return 0;
}

static int parse_box(struct build *build, const unsigned char *data, bool oval, struct err *err)
{
    double x = position(data + 10), y = position(data + 8), arc = get16(data + 54);
    double width = position(data + 14) - x, height = position(data + 12) - y;
    if (get16(data + 50) & SUB_PIXEL && get16(data + 4) >= 223) {
        x = get_float(data + 18);
        y = get_float(data + 22);
        width = get_float(data + 26);
        height = get_float(data + 30);
    }
    if (oval)
        return build_ellipse(build, x, y, width, height, err);
    return arc > 0 ? build_rounded(build, x, y, width, height, arc, err)
                   : build_rectangle(build, x, y, width, height, err);
}

/* The middle line's ends, and across it the ratio of an ellipse's axes, or the width of a
 * rectangle. */
static int parse_turned(struct build *build, const unsigned char *data, bool ellipse,
                        struct err *err)
{
    double x1 = get_float(data + 18), y1 = get_float(data + 22), x2 = get_float(data + 26);
    double y2 = get_float(data + 30), across = get_float(data + 52);
    double dx = x2 - x1, dy = y2 - y1, length = hypot(dx, dy);
    if (!(length > 0 && isfinite(across)))
        return err_set(err, STATUS_DATA, "the ROI is empty");
    if (ellipse)
        return build_turned_ellipse(build, (x1 + x2) / 2, (y1 + y2) / 2, length / 2,
                                    length / 2 * across, atan2(dy, dx), err);
    double ax = -dy / length * across / 2, ay = dx / length * across / 2;
    return build_ring(build, err) || build_point(build, x1 + ax, y1 + ay, err) ||
                   build_point(build, x2 + ax, y2 + ay, err) ||
                   build_point(build, x2 - ax, y2 - ay, err) ||
                   build_point(build, x1 - ax, y1 - ay, err)
               ? -1
               : 0;
}

/* ---- paths ---- */

struct path {
    const unsigned char *at, *end;
    double x, y;             /* the last point */
    double begin_x, begin_y; /* of the ring */
    bool open;
};

static bool take_floats(struct path *path, double *to, size_t n)
{
    if ((size_t)(path->end - path->at) < 4 * n)
        return false;
    for (size_t i = 0; i < n; i++, path->at += 4)
        to[i] = get_float(path->at);
    return true;
}

/* A Bezier curve of degree 2 or 3 from the last point on, in chords of about half a pixel. */
static int add_curve(struct build *build, const struct path *path, const double *p, int degree,
                     struct err *err)
{
    double x[4] = {path->x}, y[4] = {path->y}, length = 0;
    for (int i = 1; i <= degree; i++) {
        x[i] = p[2 * i - 2];
        y[i] = p[2 * i - 1];
        length += hypot(x[i] - x[i - 1], y[i] - y[i - 1]);
    }
    double steps = fmax(fmin(ceil(2 * length), 10000), 4);
    for (double k = 1; k <= steps; k++) {
        double t = k / steps, r = 1 - t, at_x, at_y;
        double w[4] = {r * r * r, 3 * r * r * t, 3 * r * t * t, t * t * t};
        if (degree == 2)
            memcpy(w, (double[]){r * r, 2 * r * t, t * t, 0}, sizeof w);
        at_x = w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + w[3] * x[3];
        at_y = w[0] * y[0] + w[1] * y[1] + w[2] * y[2] + w[3] * y[3];
        if (build_point(build, at_x, at_y, err))
            return -1;
    }
    return 0;
}

/* A ring begins at a move, or where the last one was closed. */
static int begin_ring(struct build *build, struct path *path, struct err *err)
{
    path->open = true;
    path->begin_x = path->x;
    path->begin_y = path->y;
    return build_ring(build, err) || build_point(build, path->x, path->y, err) ? -1 : 0;
}

static int parse_segment(struct build *build, struct path *path, struct err *err)
{
    double kind, p[6];
    if (!take_floats(path, &kind, 1))
        return cut(err);
    if (kind == CLOSE) {
        path->x = path->begin_x;
        path->y = path->begin_y;
        path->open = false;
        return 0;
    }
    if (kind != MOVE && kind != LINE_TO && kind != QUADRATIC && kind != CUBIC)
        return err_set(err, STATUS_DATA, "a ROI with an unknown segment");
    int points = kind == QUADRATIC ? 2 : kind == CUBIC ? 3 : 1;
    if (!take_floats(path, p, 2 * (size_t)points))
        return cut(err);
    int result = 0;
    if (kind != MOVE && !path->open)
        result = begin_ring(build, path, err);
    if (result == 0 && points > 1)
        result = add_curve(build, path, p, points, err);
    path->x = p[2 * points - 2];
    path->y = p[2 * points - 1];
    if (result == 0 && kind == MOVE)
        result = begin_ring(build, path, err);
    else if (result == 0 && points == 1)
        result = build_point(build, path->x, path->y, err);
    return result;
}

/* Segments of a path as floats: a kind, then its points. */
static int parse_path(struct build *build, const unsigned char *p, size_t n, struct err *err)
{
    struct path path = {.at = p, .end = p + 4 * n};
    if (n < 3 || get_float(p) != MOVE)
        return cut(err);
    while (path.at < path.end)
        if (parse_segment(build, &path, err))
            return -1;
    return 0;
}

/* ---- all kinds ---- */

/* A stack's slice, or the planes of a hyperstack, which the second header has. */
static void parse_plane(struct build *build, const unsigned char *data, size_t size)
{
    size_t second = get32(data + 60);
    build->plane = (struct annot_plane){.z = (int32_t)get32(data + 56)};
    if (second >= HEADER && second <= size - HEADER2 && size >= HEADER + HEADER2) {
        int64_t channel = (int32_t)get32(data + second + 4), z = (int32_t)get32(data + second + 8);
        int64_t t = (int32_t)get32(data + second + 12);
        if (channel > 0 || z > 0 || t > 0)
            build->plane = (struct annot_plane){channel, z, t};
    }
    struct annot_plane *plane = &build->plane;
    plane->channel = plane->channel > 0 ? plane->channel : 0;
    plane->z = plane->z > 0 ? plane->z : 0;
    plane->t = plane->t > 0 ? plane->t : 0;
}

static int parse_type(struct build *build, const unsigned char *data, size_t size, struct err *err)
{
    static const char *const no_areas[TYPES] = {[LINE] = "a line",
                                                [FREE_LINE] = "a freehand line",
                                                [POLYLINE] = "a segmented line",
                                                [NOTHING] = "an empty ROI",
                                                [ANGLE] = "an angle",
                                                [POINT] = "a point"};
    unsigned type = data[6], subtype = get16(data + 48);
    if (subtype == SUBTYPE_TEXT || subtype == SUBTYPE_IMAGE)
        return build_no_area(build, subtype == SUBTYPE_TEXT ? "a text" : "a picture", err);
    if (type >= TYPES)
        return err_set(err, STATUS_DATA, "a ROI of an unknown type");
    if (no_areas[type])
        return build_no_area(build, no_areas[type], err);
    if (type == RECTANGLE || type == OVAL)
        return parse_box(build, data, type == OVAL, err);
    if (type == FREEHAND && (subtype == SUBTYPE_ELLIPSE || subtype == SUBTYPE_TURNED_RECTANGLE))
        return parse_turned(build, data, subtype == SUBTYPE_ELLIPSE, err);
    if (parse_polygon(build, data, size, err))
        return -1;
    return get16(data + 50) & SPLINE_FIT ? build_smooth(build, err) : 0;
}

int roi_parse(struct build *build, const unsigned char *data, size_t size, struct err *err)
{
    if (size < HEADER || memcmp(data, "Iout", 4) != 0)
        return err_set(err, STATUS_DATA, "not an ImageJ ROI");
    size_t path = get32(data + 36);
    if (build_piece(build, err))
        return -1;
    parse_plane(build, data, size);
    if (path && data[6] == RECTANGLE)
        return path > (size - HEADER) / 4 ? cut(err) : parse_path(build, data + HEADER, path, err);
    return parse_type(build, data, size, err);
}

/* ---- writing ---- */

static void put16(unsigned char *p, unsigned value)
{
    p[0] = (unsigned char)(value >> 8);
    p[1] = (unsigned char)value;
}

static void put32(unsigned char *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

static unsigned char *put_float(unsigned char *p, double value)
{
    float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    put32(p, bits);
    return p + 4;
}

struct bounds {
    double left, top, right, bottom;
    size_t points, rings;
};

static struct bounds bounds_of(const struct annot_object *object)
{
    struct bounds box = {1e300, 1e300, 0, 0, 0, 0};
    for (size_t i = 0; i < object->count; i++)
        for (size_t j = 0; j < object->pieces[i].count; j++) {
            const struct annot_ring *ring = &object->pieces[i].rings[j];
            box.rings++;
            box.points += ring->n;
            for (size_t k = 0; k < ring->n; k++) {
                box.left = fmin(box.left, ring->points[2 * k]);
                box.right = fmax(box.right, ring->points[2 * k]);
                box.top = fmin(box.top, ring->points[2 * k + 1]);
                box.bottom = fmax(box.bottom, ring->points[2 * k + 1]);
            }
        }
    return box;
}

static void put_polygon(unsigned char *data, const struct annot_ring *ring,
                        const struct bounds *box)
{
    data[6] = TRACED;
    put16(data + 16, (unsigned)ring->n);
    for (size_t i = 0; i < ring->n; i++) {
        put16(data + HEADER + 2 * i, (unsigned)(ring->points[2 * i] - box->left));
        put16(data + HEADER + 2 * (ring->n + i), (unsigned)(ring->points[2 * i + 1] - box->top));
    }
}

static unsigned char *put_path_ring(unsigned char *p, const struct annot_ring *ring)
{
    for (size_t i = 0; i < ring->n; i++) {
        p = put_float(p, i ? LINE_TO : MOVE);
        p = put_float(p, ring->points[2 * i]);
        p = put_float(p, ring->points[2 * i + 1]);
    }
    return put_float(p, CLOSE);
}

static void put_path(unsigned char *data, const struct annot_object *object,
                     const struct bounds *box)
{
    unsigned char *p = data + HEADER;
    data[6] = RECTANGLE;
    put32(data + 36, (uint32_t)(3 * box->points + box->rings));
    for (size_t i = 0; i < object->count; i++)
        for (size_t j = 0; j < object->pieces[i].count; j++)
            p = put_path_ring(p, &object->pieces[i].rings[j]);
}

/* The second header and the name in UTF-16; names are ASCII here. */
static void put_name(unsigned char *data, size_t at, const char *name)
{
    put32(data + 60, (uint32_t)at);
    put32(data + at + 16, (uint32_t)(at + HEADER2));
    put32(data + at + 20, (uint32_t)strlen(name));
    for (size_t i = 0; name[i]; i++)
        put16(data + at + HEADER2 + 2 * i, (unsigned char)name[i]);
}

int roi_format(unsigned char **result, size_t *size, const struct annot_object *object,
               const char *name, struct err *err)
{
    struct bounds box = bounds_of(object);
    bool simple = box.rings == 1 && box.points <= 65535;
    size_t outline = simple ? 4 * box.points : 4 * (3 * box.points + box.rings);
    if (box.right > MAX_POSITION || box.bottom > MAX_POSITION || outline > UINT32_MAX / 2)
        return err_set(err, STATUS_DATA, "an ImageJ ROI cannot reach beyond %d pixels",
                       MAX_POSITION);
    *size = HEADER + outline + HEADER2 + 2 * strlen(name);
    unsigned char *data = calloc(*size, 1);
    if (!data)
        return err_memory(err, "a ROI");
    memcpy(data, "Iout", 4);
    put16(data + 4, VERSION);
    put16(data + 8, (unsigned)box.top);
    put16(data + 10, (unsigned)box.left);
    put16(data + 12, (unsigned)box.bottom);
    put16(data + 14, (unsigned)box.right);
    if (simple)
        put_polygon(data, &object->pieces[0].rings[0], &box);
    else
        put_path(data, object, &box);
    put_name(data, HEADER + outline, name);
    *result = data;
    return 0;
}
