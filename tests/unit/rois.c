/* ImageJ's ROIs: every type's true outline, their planes, and where they come from. */
#include <stdlib.h>
#include <unistd.h>

#include "annot/annot.h"
#include "tests/files.h"
#include "tests/tap.h"
#include "tests/zip.h"

#define SIDE 200

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
    POINT
};
enum { ELLIPSE = 3, TURNED_RECTANGLE = 5 };

static char path[] = "/tmp/rois-XXXXXX";

/* ---- bytes of a .roi ---- */

struct roi {
    unsigned char bytes[8192];
    size_t size;
};

static void put(struct roi *roi, size_t at, unsigned value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        roi->bytes[at + (size_t)i] = (unsigned char)(value >> 8 * (bytes - 1 - i));
}

static void put_float(struct roi *roi, size_t at, float value)
{
    unsigned bits;
    memcpy(&bits, &value, 4);
    put(roi, at, bits, 4);
}

/* A header, and behind it a second one. */
static struct roi new_roi(int type, int x, int y, int width, int height)
{
    struct roi roi = {.size = 64};
    memcpy(roi.bytes, "Iout", 4);
    put(&roi, 4, 228, 2);
    put(&roi, 6, (unsigned)type, 1);
    put(&roi, 8, (unsigned)y, 2);
    put(&roi, 10, (unsigned)x, 2);
    put(&roi, 12, (unsigned)(y + height), 2);
    put(&roi, 14, (unsigned)(x + width), 2);
    return roi;
}

static void add_points(struct roi *roi, const int *points, int n)
{
    put(roi, 16, (unsigned)n, 2);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n; i++, roi->size += 2)
            put(roi, roi->size, (unsigned)points[2 * i + k], 2);
}

static void add_floats(struct roi *roi, const float *values, int n)
{
    for (int i = 0; i < n; i++, roi->size += 4)
        put_float(roi, roi->size, values[i]);
}

static void set_planes(struct roi *roi, unsigned channel, unsigned z, unsigned t)
{
    put(roi, 60, (unsigned)roi->size, 4);
    put(roi, roi->size + 4, channel, 4);
    put(roi, roi->size + 8, z, 4);
    put(roi, roi->size + 12, t, 4);
    roi->size += 64;
}

/* ---- painted ---- */

struct result {
    int64_t area;
    size_t objects, no_area, broken;
    bool several_planes;
    uint32_t *labels; /* SIDE x SIDE */
};

/* -1 when the file is refused. */
static int rasterize(struct result *result, const struct annot_plane *plane, struct err *err)
{
    static uint32_t pixels[SIDE * SIDE];
    struct annot_raster options = {.mode = ANNOT_INSTANCES};
    struct annot_counts counts = {0};
    struct array labels = array_view(DTYPE_U32, 2, (size_t[]){SIDE, SIDE}, pixels);
    struct annot_file *file;
    memset(pixels, 0, sizeof pixels);
    *result = (struct result){.labels = pixels};
    if (plane)
        options.plane = *plane;
    if (annot_open(&file, path, err))
        return -1;
    int failed = annot_rasterize(file, 0, &options, &labels, &counts, err);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        result->area += pixels[i] != 0;
    result->objects = counts.objects;
    result->several_planes = counts.several_planes;
    result->no_area = annot_left_out(file)->no_area;
    result->broken = annot_left_out(file)->broken;
    annot_close(file);
    return failed;
}

static double area_of(const struct roi *roi)
{
    struct result result;
    struct err err;
    put_file(path, roi->bytes, roi->size);
    if (rasterize(&result, NULL, &err)) {
        printf("# %s\n", err.message);
        return -1;
    }
    return (double)result.area;
}

static bool has(const struct result *result, int x, int y)
{
    return result->labels[y * SIDE + x] != 0;
}

/* ---- types ---- */

static void test_boxes(void)
{
    struct roi roi = new_roi(RECTANGLE, 10, 20, 40, 30);
    is_near(area_of(&roi), 1200, 0, "a rectangle");
    put(&roi, 54, 30, 2);
    is_near(area_of(&roi), 1200 - (4 - M_PI) * 15 * 15, 12, "with round corners");
    put(&roi, 54, 400, 2);
    is_near(area_of(&roi), M_PI * 20 * 15, 12, "which are at most the whole of it");
    roi = new_roi(OVAL, 10, 20, 100, 60);
    is_near(area_of(&roi), M_PI * 50 * 30, 12, "an oval");
    roi = new_roi(RECTANGLE, 0, 0, 1, 1);
    put(&roi, 50, 128, 2);
    for (int i = 0; i < 4; i++)
        put_float(&roi, 18 + 4 * (size_t)i, (float[]){10.6f, 10.6f, 9.8f, 10}[i]);
    is_near(area_of(&roi), 90, 0, "a rectangle between pixels");
}

static void test_polygons(void)
{
    static const int square[] = {0, 0, 50, 0, 50, 40, 0, 40};
    static const int types[] = {POLYGON, FREEHAND, TRACED};
    for (int i = 0; i < 3; i++) {
        struct roi roi = new_roi(types[i], 5, 6, 50, 40);
        add_points(&roi, square, 4);
        is_near(area_of(&roi), 2000, 0, "an outline of points");
    }
    struct roi roi = new_roi(POLYGON, 5, 6, 50, 40);
    add_points(&roi, square, 4);
    put(&roi, 50, 128, 2);
    add_floats(&roi, (float[]){5.6f, 55.4f, 55.4f, 5.6f, 6.6f, 6.6f, 46.4f, 46.4f}, 8);
    is_near(area_of(&roi), 49 * 39, 0, "exact points come before whole ones");
    roi = new_roi(POLYGON, 5, 6, 50, 40);
    add_points(&roi, square, 4);
    roi.size -= 2;
    is_near(area_of(&roi), -1, 0, "an outline that is cut is refused");
}

static void set_turned(struct roi *roi, int subtype, float x1, float y1, float x2, float y2,
                       float across)
{
    put(roi, 48, (unsigned)subtype, 2);
    for (int i = 0; i < 4; i++)
        put_float(roi, 18 + 4 * (size_t)i, (float[]){x1, y1, x2, y2}[i]);
    put_float(roi, 52, across);
}

static void test_turned(void)
{
    struct roi roi = new_roi(FREEHAND, 0, 0, 0, 0);
    struct result result;
    struct err err;
    set_turned(&roi, ELLIPSE, 50, 50, 130, 110, 0.4f); /* axes 100 and 40 */
    is_near(area_of(&roi), M_PI * 50 * 20, 15, "an ellipse");
    set_turned(&roi, TURNED_RECTANGLE, 50, 50, 130, 110, 40);
    is_near(area_of(&roi), 100 * 40, 25, "a turned rectangle");
    ok(rasterize(&result, NULL, &err) == 0 && has(&result, 52, 54) && has(&result, 128, 106) &&
           !has(&result, 60, 90) && !has(&result, 120, 70),
       "lies along its line");
    set_turned(&roi, ELLIPSE, 50, 50, 50, 50, 1);
    is_near(area_of(&roi), -1, 0, "an ellipse without length is refused");
}

/* The curve goes through the vertices: a square's becomes nearly round. */
static void test_spline(void)
{
    struct roi roi = new_roi(POLYGON, 50, 50, 100, 100);
    static const int ring[] = {50, 0, 85, 15, 100, 50, 85, 85, 50, 100, 15, 85, 0, 50, 15, 15};
    add_points(&roi, ring, 8);
    double polygon = area_of(&roi);
    put(&roi, 50, 1, 2);
    is_near(area_of(&roi), M_PI * 50 * 49.5, 40, "a spline through eight points of a circle");
    ok(polygon < M_PI * 50 * 49.5 - 600, "is more than the polygon");
}

static void test_paths(void)
{
    /* a square with a hole, and a piece beside it */
    static const float rings[] = {0, 10, 10, 1, 50, 10, 1, 50, 50, 1, 10, 50, 4,
                                  0, 20, 20, 1, 30, 20, 1, 30, 30, 1, 20, 30, 4,
                                  0, 60, 60, 1, 70, 60, 1, 70, 70, 1, 60, 70, 4};
    struct roi roi = new_roi(RECTANGLE, 10, 10, 60, 60);
    int n = sizeof rings / sizeof *rings;
    put(&roi, 36, (unsigned)n, 4);
    add_floats(&roi, rings, n);
    is_near(area_of(&roi), 1600 - 100 + 100, 0, "a shape of rings");
    /* a circle of four cubic curves: 0.5523 makes it round to a thousandth */
    const float k = 50 * 0.5523f;
    const float circle[] = {0,   100, 50,      3,       100 + k, 50,      150, 100 - k,
                            150, 100, 3,       150,     100 + k, 100 + k, 150, 100,
                            150, 3,   100 - k, 150,     50,      100 + k, 50,  100,
                            3,   50,  100 - k, 100 - k, 50,      100,     50,  4};
    roi = new_roi(RECTANGLE, 50, 50, 100, 100);
    n = sizeof circle / sizeof *circle;
    put(&roi, 36, (unsigned)n, 4);
    add_floats(&roi, circle, n);
    is_near(area_of(&roi), M_PI * 50 * 50, 20, "a shape of cubic curves");
    /* a parabola over a chord has two thirds of its box */
    static const float bow[] = {0, 20, 100, 2, 70, 0, 120, 100, 4};
    roi = new_roi(RECTANGLE, 20, 50, 100, 50);
    n = sizeof bow / sizeof *bow;
    put(&roi, 36, (unsigned)n, 4);
    add_floats(&roi, bow, n);
    is_near(area_of(&roi), 100 * 50 * 2 / 3.0, 30, "and of quadratic ones");
    put(&roi, 36, (unsigned)n - 3, 4);
    is_near(area_of(&roi), -1, 0, "a path that is cut is refused");
    put_float(&roi, 64, 9);
    put(&roi, 36, (unsigned)n, 4);
    is_near(area_of(&roi), -1, 0, "and one of unknown segments");
}

static void test_no_area(void)
{
    static const int types[] = {LINE, FREE_LINE, POLYLINE, NOTHING, ANGLE, POINT};
    struct result result;
    struct err err;
    int refused = 0;
    for (int i = 0; i < 6; i++) {
        struct roi roi = new_roi(types[i], 5, 6, 50, 40);
        add_points(&roi, (int[]){0, 0, 50, 40, 50, 0}, 3);
        put_file(path, roi.bytes, roi.size);
        refused += rasterize(&result, NULL, &err) == -1 && err.status == STATUS_DATA &&
                   strstr(err.message, "no area");
    }
    is_int(refused, 6, "what has no area is refused where there is nothing else");
}

/* ---- zips ---- */

static struct zip_maker zip;

static void new_zip(void)
{
    zip.size = 0;
    zip.count = 0;
}

static void add_roi(const char *name, const struct roi *roi)
{
    zip_add(&zip, name, roi->bytes, roi->size);
}

static void put_zip(void)
{
    zip_finish(&zip);
    put_file(path, zip.bytes, zip.size);
}

static void test_zip(void)
{
    struct roi square = new_roi(RECTANGLE, 5, 5, 10, 10), line = new_roi(LINE, 1, 1, 5, 5);
    struct roi other = new_roi(RECTANGLE, 105, 105, 10, 10), cut = new_roi(POLYGON, 5, 5, 5, 5);
    struct result result;
    struct err err;
    put(&cut, 16, 4000, 2);
    new_zip();
    add_roi("a.roi", &square);
    zip_add(&zip, "._a.roi", "\0\5\x16\7", 4);
    zip_add(&zip, "__MACOSX/b.roi", "\0\5\x16\7", 4);
    zip_add(&zip, ".DS_Store", "Bud1", 4);
    zip_add(&zip, "Results.csv", "id,area\n", 8);
    zip_add(&zip, "empty.txt", "", 0);
    add_roi("B.ROI", &other);
    put_zip();
    ok(rasterize(&result, NULL, &err) == 0 && result.objects == 2 && result.area == 200 &&
           result.broken == 0,
       "other files in a zip are passed over");
    new_zip();
    add_roi("\xc3\xa9\xe7\xb4\xb0.roi", &square);
    add_roi("line.roi", &line);
    add_roi("cut.roi", &cut);
    zip_add(&zip, "x.roi", "nothing of a ROI", 16);
    put_zip();
    ok(rasterize(&result, NULL, &err) == 0 && result.objects == 1 && result.area == 100,
       "names of other letters");
    is_int((long long)result.no_area, 1, "what has no area is counted");
    is_int((long long)result.broken, 2, "and what is broken");
    new_zip();
    zip_add(&zip, "Results.csv", "id,area\n", 8);
    put_zip();
    ok(rasterize(&result, NULL, &err) == -1 && err.status == STATUS_DATA, "a zip of other files");
}

static void test_planes(void)
{
    struct roi first = new_roi(RECTANGLE, 5, 5, 10, 10), second = new_roi(RECTANGLE, 8, 8, 10, 10);
    struct result result;
    struct err err;
    put(&first, 56, 1, 4);
    put(&second, 56, 2, 4);
    new_zip();
    add_roi("1-1.roi", &first);
    add_roi("2-2.roi", &second);
    put_zip();
    ok(rasterize(&result, NULL, &err) == 0 && result.objects == 2 && result.several_planes,
       "ROIs of two slices are known to be");
    for (int64_t z = 1; z <= 3; z++)
        ok(rasterize(&result, &(struct annot_plane){.z = z}, &err) == 0 && !result.several_planes &&
               result.area == (z < 3 ? 100 : 0),
           "slice %d alone", (int)z);
    set_planes(&first, 1, 4, 7);
    set_planes(&second, 2, 4, 7);
    new_zip();
    add_roi("a.roi", &first);
    add_roi("b.roi", &second);
    put_zip();
    ok(rasterize(&result, &(struct annot_plane){.channel = 2, .z = 4, .t = 7}, &err) == 0 &&
           result.area == 100 && has(&result, 17, 17),
       "a channel of a hyperstack");
}

/* ---- inside TIFF ---- */

static size_t put_number(unsigned char *to, uint32_t value, int bytes, bool big)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * (big ? bytes - 1 - i : i));
    return (size_t)bytes;
}

static size_t put_entry(unsigned char *to, const uint32_t entry[4], bool big)
{
    size_t n = put_number(to, entry[0], 2, big);
    n += put_number(to + n, entry[1], 2, big);
    n += put_number(to + n, entry[2], 4, big);
    bool is_short = entry[1] == 3;
    put_number(to + n, 0, 4, big);
    put_number(to + n, entry[3], is_short ? 2 : 4, big);
    return n + 4;
}

/* A TIFF's head with a selection and an overlay of one ROI. */
static void put_tiff(bool big, const struct roi *roi, const struct roi *overlay)
{
    unsigned char b[20000] = {0};
    uint32_t sizes[] = {4 + 3 * 8, 6, (uint32_t)roi->size, (uint32_t)overlay->size};
    uint32_t values = sizes[0] + sizes[1] + sizes[2] + sizes[3];
    static const uint32_t kinds[] = {0x696e666f, 0x726f6920, 0x6f766572};
    memcpy(b, big ? "MM\0*" : "II*\0", 4);
    put_number(b + 4, 8, 4, big);
    size_t n = 8 + put_number(b + 8, 4, 2, big), data = 100;
    n += put_entry(b + n, (uint32_t[]){256, 3, 1, SIDE}, big);
    n += put_entry(b + n, (uint32_t[]){257, 4, 1, SIDE}, big);
    n += put_entry(b + n, (uint32_t[]){50838, 4, 4, (uint32_t)data}, big);
    put_entry(b + n, (uint32_t[]){50839, 1, values, (uint32_t)data + 16}, big);
    for (int i = 0; i < 4; i++)
        data += put_number(b + data, sizes[i], 4, big);
    data += put_number(b + data, 0x494a494a, 4, big);
    for (int i = 0; i < 3; i++) {
        data += put_number(b + data, kinds[i], 4, big);
        data += put_number(b + data, 1, 4, big);
    }
    data += 6; /* a text */
    memcpy(b + data, roi->bytes, roi->size);
    memcpy(b + data + roi->size, overlay->bytes, overlay->size);
    put_file(path, b, data + roi->size + overlay->size);
}

static void test_tiff(void)
{
    struct roi a = new_roi(RECTANGLE, 5, 5, 10, 10), b = new_roi(OVAL, 50, 50, 20, 20);
    struct result result;
    struct err err;
    char bytes[20000];
    for (int big = 0; big < 2; big++) {
        put_tiff(big, &a, &b);
        struct annot_file *file;
        ok(annot_open(&file, path, &err) == 0 && annot_image(file, 0).width == SIDE &&
               annot_image(file, 0).height == SIDE,
           "a TIFF with ROIs tells its size");
        annot_close(file);
        ok(rasterize(&result, NULL, &err) == 0 && result.objects == 2 && has(&result, 60, 60) &&
               has(&result, 6, 6),
           "selection and overlay");
    }
    size_t size = get_file(path, bytes, sizeof bytes), refused = 0;
    for (size_t cut = 0; cut < size; cut++) {
        put_file(path, bytes, cut);
        refused += rasterize(&result, NULL, &err) == -1 || result.broken > 0;
    }
    is_int((long long)refused, (long long)size, "cut anywhere it is refused");
}

int main(void)
{
    tap_plan(37);
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    test_boxes();
    test_polygons();
    test_turned();
    test_spline();
    test_paths();
    test_no_area();
    test_zip();
    test_planes();
    test_tiff();
    unlink(path);
    return tap_done();
}
