/* CVAT for images 1.1: XML, an element for each image, and in it one for each shape.  Only the
 * places of images are kept, each of which is a document by itself. */
#include <expat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annot/file.h"
#include "core/num.h"
#include "core/text.h"

#define CHUNK ((size_t)1 << 20) /* bytes that expat takes at a time */

struct reading {
    XML_Parser xml;
    struct annot_file *file;
    struct err *err;
    int depth;     /* of the element that begins or ends */
    bool failed;   /* *err has been set */
    bool is_whole; /* all that is wanted has been read */
    size_t tracks; /* of a video */
    size_t number; /* of a shape */
    struct build build;
    annot_take *take;
    void *user;
};

/* ---- attributes ---- */

static const char *attribute(const char **attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return "";
}

static int real(const char **attributes, const char *name, double *value, struct err *err)
{
    struct err unused;
    if (num_real(attribute(attributes, name), -BUILD_FARTHEST, BUILD_FARTHEST, value, &unused))
        return err_set(err, STATUS_DATA, "its '%s' is no number", name);
    return 0;
}

/* 0 when there is none. */
static int64_t count(const char **attributes, const char *name)
{
    struct err unused;
    int64_t value;
    return num_int(attribute(attributes, name), 0, INT32_MAX, &value, &unused) ? 0 : value;
}

/* ---- shapes ---- */

/* "x,y;x,y;..." */
static int add_points(const char *text, struct build *build, struct err *err)
{
    if (build_piece(build, err) || build_ring(build, err))
        return -1;
    while (*text) {
        char *end;
        double x = strtod(text, &end);
        if (end == text || *end != ',')
            return err_set(err, STATUS_DATA, "its points are malformed");
        text = end + 1;
        double y = strtod(text, &end);
        if (end == text || (*end && *end != ';'))
            return err_set(err, STATUS_DATA, "its points are malformed");
        text = *end ? end + 1 : end;
        if (build_point(build, x, y, err))
            return -1;
    }
    return 0;
}

/* About its middle, by an angle in degrees. */
static int add_box(const char **a, struct build *build, struct err *err)
{
    double left, top, right, bottom, angle = 0;
    if (real(a, "xtl", &left, err) || real(a, "ytl", &top, err) || real(a, "xbr", &right, err) ||
        real(a, "ybr", &bottom, err) ||
        (*attribute(a, "rotation") && real(a, "rotation", &angle, err)) ||
        build_piece(build, err) || build_ring(build, err))
        return -1;
    double c = cos(angle * M_PI / 180), s = sin(angle * M_PI / 180);
    double x = (left + right) / 2, y = (top + bottom) / 2;
    for (int i = 0; i < 4; i++) {
        double along = (i == 1 || i == 2 ? right : left) - x, across = (i < 2 ? top : bottom) - y;
        if (build_point(build, x + along * c - across * s, y + along * s + across * c, err))
            return -1;
    }
    return 0;
}

static int add_ellipse(const char **a, struct build *build, struct err *err)
{
    double x, y, rx, ry, angle = 0;
    if (real(a, "cx", &x, err) || real(a, "cy", &y, err) || real(a, "rx", &rx, err) ||
        real(a, "ry", &ry, err) ||
        (*attribute(a, "rotation") && real(a, "rotation", &angle, err)) || build_piece(build, err))
        return -1;
    return build_turned_ellipse(build, x, y, rx, ry, angle * M_PI / 180, err);
}

/* Runs of pixels of a box, along its rows: outside, inside, outside, ... */
static int fill_runs(const char *text, uint8_t *mask, int64_t pixels, struct err *err)
{
    int64_t at = 0;
    for (bool inside = false; *text; inside = !inside) {
        char *end;
        long long run = strtoll(text, &end, 10);
        if (end == text || run < 0 || run > pixels - at)
            return err_set(err, STATUS_DATA, "its runs are malformed");
        memset(mask + at, inside, (size_t)run);
        at += run;
        text = end + strspn(end, ", ");
    }
    return at == pixels ? 0 : err_set(err, STATUS_DATA, "its runs do not fill its box");
}

static int add_mask(const char **a, struct build *build, struct err *err)
{
    int64_t width = count(a, "width"), height = count(a, "height");
    double left, top;
    if (real(a, "left", &left, err) || real(a, "top", &top, err))
        return -1;
    if (width < 1 || height < 1)
        return err_set(err, STATUS_DATA, "a mask without a size");
    if (build_check_mask(width, height, err))
        return -1;
    uint8_t *mask = malloc((size_t)(width * height));
    if (!mask)
        return err_memory(err, "a mask");
    int result = fill_runs(attribute(a, "rle"), mask, width * height, err);
    if (result == 0)
        result = build_mask(build, mask, (int64_t)left, (int64_t)top, width, height, err);
    free(mask);
    return result;
}

static int add_shape(const char *name, const char **a, struct build *build, struct err *err)
{
    build_reset(build);
    strncpy(build->class_name, attribute(a, "label"), BUILD_NAME - 1);
    if (strcmp(name, "polygon") == 0)
        return add_points(attribute(a, "points"), build, err);
    if (strcmp(name, "box") == 0)
        return add_box(a, build, err);
    if (strcmp(name, "ellipse") == 0)
        return add_ellipse(a, build, err);
    if (strcmp(name, "mask") == 0)
        return add_mask(a, build, err);
    return build_no_area(build, name, err);
}

/* ---- the parser ---- */

static void stop(struct reading *r, bool failed)
{
    r->failed = failed;
    r->is_whole = !failed;
    XML_StopParser(r->xml, XML_FALSE);
}

static bool is_shape(const char *name)
{
    static const char *const shapes[] = {"polygon", "box",      "ellipse", "mask",
                                         "points",  "polyline", "cuboid",  "skeleton"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(name, shapes[i]) == 0)
            return true;
    return false;
}

static void on_shape(void *user, const char *name, const char **a)
{
    struct reading *r = user;
    struct err err;
    if (++r->depth != 2 || !is_shape(name))
        return;
    int result = add_shape(name, a, &r->build, &err);
    r->number++;
    if (file_give(r->file, &r->build, result, name, r->number, r->take, r->user, &err)) {
        *r->err = err;
        stop(r, true);
    }
}

static void on_image_end(void *user, const char *name)
{
    struct reading *r = user;
    (void)name;
    if (--r->depth == 0)
        stop(r, false);
}

static void on_image(void *user, const char *name, const char **a)
{
    struct reading *r = user;
    struct annot_file *file = r->file;
    struct file_place place = {.image = file->images.count};
    r->depth++;
    r->tracks += r->depth == 2 && strcmp(name, "track") == 0;
    if (r->depth != 2 || strcmp(name, "image") != 0)
        return;
    place.at = (size_t)XML_GetCurrentByteIndex(r->xml);
    const char *image = attribute(a, "name");
    if (file_add_image(file, *image ? image : file->path, NULL, count(a, "width"),
                       count(a, "height"), r->err) ||
        growing_add(&file->places, &place, r->err))
        stop(r, true);
}

static void on_end(void *user, const char *name)
{
    struct reading *r = user;
    (void)name;
    r->depth--;
}

/* The file from `from` on; it is UTF-8, whatever it was before. */
static int parse(struct reading *r, struct scan from, XML_StartElementHandler begin,
                 XML_EndElementHandler end)
{
    r->xml = XML_ParserCreate("UTF-8");
    if (!r->xml)
        return err_memory(r->err, "XML");
    XML_SetUserData(r->xml, r);
    XML_SetElementHandler(r->xml, begin, end);
    enum XML_Status status = XML_STATUS_OK;
    while (status == XML_STATUS_OK && from.at < from.end) {
        size_t left = (size_t)(from.end - from.at), size = left < CHUNK ? left : CHUNK;
        status = XML_Parse(r->xml, from.at, (int)size, size == left);
        from.at += size;
    }
    enum XML_Error code = XML_GetErrorCode(r->xml);
    unsigned long line = XML_GetCurrentLineNumber(r->xml);
    XML_ParserFree(r->xml);
    if (status == XML_STATUS_OK || r->is_whole)
        return 0;
    if (code == XML_ERROR_NO_MEMORY)
        return err_memory(r->err, "XML");
    return r->failed ? -1
                     : err_set(r->err, STATUS_DATA, "broken XML: %s at line %lu",
                               XML_ErrorString(code), line);
}

static int open_cvat(struct annot_file *file, struct err *err)
{
    struct reading r = {.file = file, .err = err};
    if (parse(&r, file->root, on_image, on_end))
        return -1;
    if (r.tracks && file->images.count == 0)
        return err_set(err, STATUS_DATA,
                       "tracks of a video are not supported: export it as 'CVAT for images'");
    return 0;
}

static int read_cvat_image(struct annot_file *file, size_t image, annot_take *take, void *user,
                           struct err *err)
{
    const struct file_place *place = (const struct file_place *)file->places.items + image;
    struct reading r = {.file = file, .err = err, .build = build_new(), .take = take, .user = user};
    struct scan from = file->root;
    from.at += place->at;
    int result = parse(&r, from, on_shape, on_image_end);
    build_free(&r.build);
    return result;
}

static bool is_cvat(const struct annot_file *file)
{
    struct scan scan = file->root;
    size_t size = (size_t)(scan.end - scan.at) < 4096 ? (size_t)(scan.end - scan.at) : 4096;
    return scan_peek(&scan) == '<' && text_has(file->root.at, size, "<annotations");
}

const struct annot_reader read_cvat = {is_cvat, open_cvat, read_cvat_image};
