#include "annot/roi.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEADER       64
#define HEADER2      64
#define VERSION      228
#define MAX_POSITION 60535 /* ImageJ takes what is above for a negative number */

enum { POLYGON = 0, RECTANGLE = 1, OVAL = 2, FREEHAND = 7, TRACED = 8 };
enum { SUB_PIXEL = 128 };
enum { SUBTYPE_TEXT = 1, SUBTYPE_IMAGE = 4 };
enum segment { MOVE, LINE, QUADRATIC, CUBIC, CLOSE };

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
    double x = position(data + 10), y = position(data + 8);
    double width = position(data + 14) - x, height = position(data + 12) - y;
    if (get16(data + 50) & SUB_PIXEL && get16(data + 4) >= 223) {
        x = get_float(data + 18);
        y = get_float(data + 22);
        width = get_float(data + 26);
        height = get_float(data + 30);
    }
    return oval ? build_ellipse(build, x, y, width, height, err)
                : build_rectangle(build, x, y, width, height, err);
}

/* Segments of a path as floats: a kind, then its points. */
static int parse_path(struct build *build, const unsigned char *p, size_t n, struct err *err)
{
    bool begun = false;
    for (size_t i = 0; i < n;) {
        double kind = get_float(p + 4 * i++);
        if (kind == CLOSE)
            continue;
        if (kind != MOVE && kind != LINE)
            return err_set(err, STATUS_DATA, "a ROI with curves is not supported");
        if (i + 2 > n || (kind == LINE && !begun))
            return cut(err);
        if (kind == MOVE && build_ring(build, err))
            return -1;
        begun = true;
        if (build_point(build, get_float(p + 4 * i), get_float(p + 4 * i + 4), err))
            return -1;
        i += 2;
    }
    return 0;
}

int roi_parse(struct build *build, const unsigned char *data, size_t size, struct err *err)
{
    if (size < HEADER || memcmp(data, "Iout", 4) != 0)
        return err_set(err, STATUS_DATA, "not an ImageJ ROI");
    size_t path = get32(data + 36);
    unsigned type = data[6], subtype = get16(data + 48);
    if (build_piece(build, err))
        return -1;
    if (path && type == RECTANGLE)
        return path > (size - HEADER) / 4 ? cut(err) : parse_path(build, data + HEADER, path, err);
    if (subtype == SUBTYPE_TEXT || subtype == SUBTYPE_IMAGE)
        return err_set(err, STATUS_DATA, "a text or picture is no outline");
    switch (type) {
    case POLYGON:
    case FREEHAND:
    case TRACED:
        return parse_polygon(build, data, size, err);
    case RECTANGLE:
    case OVAL:
        return parse_box(build, data, type == OVAL, err);
    default:
        return err_set(err, STATUS_DATA, "a ROI of type %u has no area", type);
    }
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

struct box {
    double left, top, right, bottom;
    size_t points, rings;
};

static struct box box_of(const struct annot_object *object)
{
    struct box box = {1e300, 1e300, 0, 0, 0, 0};
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

static void put_polygon(unsigned char *data, const struct annot_ring *ring, const struct box *box)
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
        p = put_float(p, i ? LINE : MOVE);
        p = put_float(p, ring->points[2 * i]);
        p = put_float(p, ring->points[2 * i + 1]);
    }
    return put_float(p, CLOSE);
}

static void put_path(unsigned char *data, const struct annot_object *object, const struct box *box)
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
    struct box box = box_of(object);
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
