/* lib/annot: labels to files and back give the same pixels; outlines follow the
 * rules; broken files are refused. */
#include <stdlib.h>
#include <unistd.h>

#include "annot/annot.h"
#include "annot/build.h"
#include "annot/rle.h"
#include "annot/scan.h"
#include "core/guard.h"
#include "core/rng.h"
#include "tests/clock.h"
#include "tests/files.h"
#include "tests/tap.h"

static char path[] = "/tmp/annot-test-XXXXXX";

static struct array new_labels(size_t height, size_t width)
{
    struct err err;
    struct array labels;
    if (array_new(&labels, DTYPE_U32, 2, (size_t[]){height, width}, &err))
        exit(1);
    return labels;
}

/* Blobs, then salt and pepper, so that there are holes, islands in holes and
 * pixels that meet at corners only. */
static void draw(struct array *labels, uint64_t seed)
{
    struct rng rng = rng_new(seed, "labels");
    uint32_t *p = labels->data;
    size_t height = labels->shape[0], width = labels->shape[1];
    for (uint32_t label = 1; label <= 12; label++) {
        double x = rng_between(&rng, 0, (double)width), y = rng_between(&rng, 0, (double)height);
        double r = rng_between(&rng, 2, (double)width / 4), hole = rng_between(&rng, 0, 0.8) * r;
        for (size_t i = 0; i < height * width; i++) {
            double d = hypot((double)(i % width) - x, (double)(i / width) - y);
            if (d < r && d > hole)
                p[i] = label * 1000003u;
        }
    }
    for (size_t i = 0; i < height * width; i++)
        if (rng_below(&rng, 100) < seed * 10)
            p[i] = (uint32_t)rng_below(&rng, 3) * 7;
}

struct paint {
    struct array *labels;
    bool failed;
    size_t objects;
};

static int paint(void *user, const struct annot_object *object, struct err *err)
{
    struct paint *to = user;
    to->objects++;
    to->failed |= object->label == 0;
    return annot_paint(to->labels, object, object->label, false, err) < 0 ? -1 : 0;
}

static bool read_back(struct array *labels, size_t image, struct err *err)
{
    struct annot_file *file;
    struct paint to = {.labels = labels};
    if (annot_open(&file, path, err))
        return false;
    bool good = annot_read(file, image, paint, &to, err) == 0 && !to.failed;
    annot_close(file);
    return good;
}

static bool write_file(const struct array *labels, enum annot_format format, struct err *err)
{
    struct annot_writer *writer;
    struct annot_image image = {.name = "a \"b\".tif"};
    if (guard_rewrites(path, err) || annot_create(&writer, path, format, err))
        return false;
    if (annot_put(writer, &image, labels, NULL, NULL, err)) {
        annot_abort(writer);
        return false;
    }
    return annot_commit(writer, err) == 0;
}

static bool same(const struct array *a, const struct array *b)
{
    return memcmp(a->data, b->data, array_bytes(a)) == 0;
}

static void test_round_trips(void)
{
    static const struct {
        enum annot_format format;
        const char *name;
    } formats[] = {{ANNOT_ROI_ZIP, "ROI zip"},
                   {ANNOT_GEOJSON, "GeoJSON"},
                   {ANNOT_COCO, "COCO"},
                   {ANNOT_COCO_RLE, "COCO run lengths"}};
    struct err err = {0};
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct array labels = new_labels(57, 83);
        draw(&labels, seed);
        for (size_t i = 0; i < 4; i++) {
            struct array back = new_labels(57, 83);
            bool good = write_file(&labels, formats[i].format, &err) && read_back(&back, 0, &err) &&
                        same(&labels, &back);
            if (!ok(good, "labels to %s and back, drawing %d", formats[i].name, (int)seed))
                printf("# %s\n", err.message);
            array_free(&back);
        }
        array_free(&labels);
    }
}

/* 1, 2, ... in the order of the labels. */
static void number_anew(struct array *labels)
{
    uint32_t *p = labels->data, next = 0;
    size_t n = labels->shape[0] * labels->shape[1];
    for (uint64_t done = 0;; next++) {
        uint64_t least = UINT64_MAX;
        for (size_t i = 0; i < n; i++)
            if (p[i] > done && p[i] < least)
                least = p[i];
        if (least == UINT64_MAX)
            return;
        for (size_t i = 0; i < n; i++)
            if (p[i] == least)
                p[i] = next + 1;
        done = next + 1;
    }
}

/* The annotator adds and takes away: cells have no numbers there. */
static void test_labelme(void)
{
    const struct annot_raster raster = {.mode = ANNOT_INSTANCES};
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct err err = {0};
        struct annot_counts counts;
        struct annot_file *file = NULL;
        struct array labels = new_labels(57, 83), back = new_labels(57, 83);
        draw(&labels, seed);
        number_anew(&labels);
        bool good = write_file(&labels, ANNOT_LABELME, &err) && annot_open(&file, path, &err) == 0;
        good = good && annot_rasterize(file, 0, &raster, &back, &counts, &err) == 0;
        if (!ok(good && same(&labels, &back), "labels to LabelMe and back, drawing %d", (int)seed))
            printf("# %s\n", err.message);
        is_int(good ? annot_image(file, 0).width : 0, 83, "with the image's width");
        annot_close(file);
        array_free(&labels);
        array_free(&back);
    }
}

static void test_full(void)
{
    struct err err;
    struct array labels = new_labels(5, 4), back = new_labels(5, 4);
    for (size_t i = 0; i < 20; i++)
        ((uint32_t *)labels.data)[i] = 9;
    ok(write_file(&labels, ANNOT_COCO_RLE, &err) && read_back(&back, 0, &err) &&
           same(&labels, &back),
       "a label that fills its image");
    memset(labels.data, 0, 80);
    memset(back.data, 0, 80);
    for (int f = ANNOT_ROI_ZIP; f <= ANNOT_COCO_RLE; f++)
        ok(write_file(&labels, (enum annot_format)f, &err) && read_back(&back, 0, &err) &&
               same(&labels, &back),
           "no objects, format %d", f);
    ok(write_file(&labels, ANNOT_SVG, &err), "SVG");
    array_free(&labels);
    array_free(&back);
}

static double ring_area(const struct annot_ring *ring)
{
    double sum = 0;
    for (size_t i = 0; i < ring->n; i++) {
        const double *a = ring->points + 2 * i, *b = ring->points + 2 * ((i + 1) % ring->n);
        sum += a[0] * b[1] - b[0] * a[1];
    }
    return sum / 2;
}

static bool is_simple(const struct annot_ring *ring)
{
    for (size_t i = 0; i < ring->n; i++)
        for (size_t j = 0; j < i; j++)
            if (ring->points[2 * i] == ring->points[2 * j] &&
                ring->points[2 * i + 1] == ring->points[2 * j + 1])
                return false;
    return true;
}

static void test_outlines(void)
{
    struct err err;
    struct array labels = new_labels(57, 83);
    struct boxes boxes;
    struct annot_object object;
    size_t wrong = 0, twisted = 0;
    draw(&labels, 6);
    is_int(boxes_of(&boxes, labels.data, 57, 83, &err), 0, "boxes");
    for (size_t i = 0; i < boxes.count; i++) {
        double area = 0;
        if (annot_trace(&object, &labels, &boxes.items[i], &err))
            exit(1);
        for (size_t k = 0; k < object.count; k++)
            for (size_t r = 0; r < object.pieces[k].count; r++) {
                struct annot_ring *ring = &object.pieces[k].rings[r];
                double a = ring_area(ring);
                wrong += (a > 0) != (r == 0);
                twisted += !is_simple(ring);
                area += a;
            }
        wrong += area != (double)boxes.items[i].area;
        annot_object_free(&object);
    }
    is_int((long long)wrong, 0, "outer rings are clockwise, holes are not, areas are the pixels'");
    is_int((long long)twisted, 0, "no ring comes to a point twice");
    boxes_free(&boxes);
    array_free(&labels);
}

static int painted(struct build *build, size_t size)
{
    struct err err;
    struct annot_object object;
    struct array labels = new_labels(size, size);
    if (annot_paint(&labels, build_object(build, &object), 1, false, &err) < 0)
        exit(1);
    int count = 0;
    for (size_t i = 0; i < size * size; i++)
        count += ((uint32_t *)labels.data)[i] == 1;
    array_free(&labels);
    return count;
}

static void add_ring(struct build *build, const double *points, size_t n)
{
    struct err err;
    if (build_ring(build, &err))
        exit(1);
    for (size_t i = 0; i < n; i++)
        if (build_point(build, points[2 * i], points[2 * i + 1], &err))
            exit(1);
}

static void test_paint(void)
{
    struct err err;
    struct build build = build_new();
    if (build_piece(&build, &err))
        exit(1);
    add_ring(&build, (double[]){0, 0, 10, 10, 10, 0, 0, 10}, 4);
    is_int(painted(&build, 10), 50, "a bow tie: two triangles of 25");
    build_reset(&build);
    if (build_piece(&build, &err))
        exit(1);
    add_ring(&build, (double[]){-1e6, -1e6, 1e6, -1e6, 1e6, 1e6, -1e6, 1e6}, 4);
    is_int(painted(&build, 10), 100, "points outside the image: what is inside is painted");
    add_ring(&build, (double[]){2, 2, 8, 2, 8, 8, 2, 8}, 4);
    is_int(painted(&build, 10), 64, "a ring in a ring is a hole");
    build_reset(&build);
    if (build_piece(&build, &err))
        exit(1);
    add_ring(&build, (double[]){0.5, 0.5, 3.5, 0.5, 3.5, 3.5, 0.5, 3.5}, 4);
    is_int(painted(&build, 10), 9, "centers on an edge belong to one side only");
    build_reset(&build);
    if (build_piece(&build, &err) || build_ellipse(&build, 0, 0, 100, 100, &err))
        exit(1);
    is_near(painted(&build, 100), 7854, 12, "a disc has the area of a disc");
    build_reset(&build);
    ok(build_piece(&build, &err) == 0 && build_ring(&build, &err) == 0 &&
           build_point(&build, 1e12, 0, &err) == -1,
       "a point very far away is refused");
    build_free(&build);
}

/* Whether a pixel's center is in an odd number of turns of the ring. */
static bool is_odd(const double *points, size_t n, double x, double y)
{
    bool odd = false;
    for (size_t i = 0, j = n - 1; i < n; j = i++) {
        const double *a = points + 2 * i, *b = points + 2 * j;
        if ((a[1] > y) != (b[1] > y) && x > a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]))
            odd = !odd;
    }
    return odd;
}

/* Outlines that cross each row many times are filled in another way. */
static void test_tangles(void)
{
    enum { SIDE = 60, POINTS = 400 };
    struct rng rng = rng_new(5, "tangle");
    struct err err;
    int wrong = 0;
    for (int round = 0; round < 20; round++) {
        double points[2 * POINTS];
        struct build build = build_new();
        struct annot_object object;
        struct array labels = new_labels(SIDE, SIDE);
        int n = round < 10 ? POINTS : 5;
        for (int i = 0; i < n; i++) {
            points[2 * i] = rng_between(&rng, -10, SIDE + 10);
            points[2 * i + 1] = rng_between(&rng, -10, SIDE + 10);
            if (i % 2 && round % 2)
                points[2 * i] = points[2 * i - 2]; /* upright */
        }
        if (build_piece(&build, &err))
            exit(1);
        add_ring(&build, points, (size_t)n);
        if (annot_paint(&labels, build_object(&build, &object), 1, false, &err) < 0)
            exit(1);
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                wrong += is_odd(points, (size_t)n, x + 0.5, y + 0.5) !=
                         (((uint32_t *)labels.data)[y * SIDE + x] == 1);
        array_free(&labels);
        build_free(&build);
    }
    is_int(wrong, 0, "tangles are filled where they surround a pixel an odd number of times");
}

/* 1,000,000 upright edges across 2000 rows. */
static void test_comb(void)
{
    struct err err;
    struct build build = build_new();
    struct annot_object object;
    struct array labels = new_labels(2000, 2000);
    if (build_piece(&build, &err) || build_ring(&build, &err))
        exit(1);
    for (int i = 0; i < 1000000; i++)
        if (build_point(&build, i / 2 * 0.004 + 0.001, i / 2 % 2 ? 3000 : -1000, &err) ||
            build_point(&build, i / 2 * 0.004 + 0.001, i / 2 % 2 ? -1000 : 3000, &err))
            exit(1);
    double begin = work_milliseconds();
    int64_t covered = annot_paint(&labels, build_object(&build, &object), 1, false, &err);
    double seconds = (work_milliseconds() - begin) / 1000;
    ok(covered >= 0 && seconds < 5, "a comb of a million teeth in %.2f s", seconds);
    array_free(&labels);
    build_free(&build);
}

static int count_objects(void *user, const struct annot_object *object, struct err *err)
{
    (void)err;
    *(size_t *)user += object->count > 0 || object->run_count > 0;
    return 0;
}

/* Objects with outlines in a text, or -1 when it is refused. */
static int objects_in(const char *text, size_t size, struct err *err)
{
    struct annot_file *file;
    size_t count = 0;
    put_file(path, text, size);
    if (annot_open(&file, path, err))
        return -1;
    int result = 0;
    for (size_t i = 0; i < annot_image_count(file) && result == 0; i++)
        result = annot_read(file, i, count_objects, &count, err);
    annot_close(file);
    return result ? -1 : (int)count;
}

#define COCO(annotation)                                                                           \
    "{\"images\":[{\"id\":7,\"file_name\":\"a.png\",\"width\":4,\"height\":3}],"                   \
    "\"annotations\":[" annotation "],\"categories\":[{\"id\":1,\"name\":\"x\"}]}"

static const char *const good[] = {
    "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"geometry\":{"
    "\"coordinates\":[[[0,0],[1,0,9],[1,1.5e0],[0,0]]],\"type\":\"Polygon\"},\"properties\":{"
    "\"classification\":{\"names\":[\"a\",\"b\"]},\"label\":\"x\"}}]}",
    "[{\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[1,0],[1,1]]]]},"
    "\"properties\":null}]",
    "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1]]]}",
    COCO("{\"image_id\":7,\"category_id\":1,\"segmentation\":[[0,0,2,0,2,2]]}"),
    COCO("{\"image_id\":7,\"segmentation\":{\"size\":[3,4],\"counts\":[5,2,5]}}"),
    COCO("{\"image_id\":7,\"segmentation\":{\"counts\":\"525\",\"size\":[3,4]}}"),
    "{\"shapes\":[{\"label\":\"\\u00e9\\ud83d\\ude00\",\"points\":[[0,0],[3,4]],"
    "\"shape_type\":\"circle\",\"group_id\":null}],\"imagePath\":\"a.jpg\",\"imageData\":\"x\"}",
};

static const char *const bad[] = {
    "",
    "{",
    "[1,]",
    "{\"a\":1,}",
    "nonsense",
    "{}",
    "[] []",
    "[\"\x01\"]",
    "[01]",
    "[1.]",
    "[-]",
    "[\"\\ud800\"]",
    "[tru]",
    "{\"features\":[{\"geometry\":{\"type\":\"Point\",\"coordinates\":[0,0]}}]}",
    "{\"features\":[{\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[0]]]}}]}",
    "{\"features\":[{\"geometry\":{\"type\":\"Polygon\"}}]}",
    COCO("{\"image_id\":8,\"segmentation\":[[0,0,2,0,2,2]]}"),
    COCO("{\"segmentation\":[[0,0,2,0,2,2]]}"),
    COCO("{\"image_id\":7,\"segmentation\":[[0,0,2,0,2]]}"),
    COCO("{\"image_id\":7,\"segmentation\":{\"size\":[3,4],\"counts\":[5,2,4]}}"),
    COCO("{\"image_id\":7,\"segmentation\":{\"size\":[4,3],\"counts\":[5,2,5]}}"),
    COCO("{\"image_id\":7,\"segmentation\":{\"size\":[3,4],\"counts\":\"~~\"}}"),
    COCO("{\"image_id\":7,\"segmentation\":{\"size\":[3,4],\"counts\":\"oooooooooooooo\"}}"),
    "{\"images\":[{\"id\":1,\"file_name\":\"a\",\"width\":1,\"height\":1},{\"id\":1,"
    "\"file_name\":\"b\",\"width\":1,\"height\":1}],\"annotations\":[]}",
    "{\"shapes\":[{\"label\":\"a\",\"points\":[[0,0],[3,4]],\"shape_type\":\"line\"}]}",
    "{\"shapes\":[{\"label\":\"a\",\"points\":[[0,0]],\"shape_type\":\"rectangle\"}]}",
    "Iout",
    "PK\x03\x04 is no zip",
};

static void test_json(void)
{
    struct err err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!ok(objects_in(good[i], strlen(good[i]), &err) == 1, "JSON %zu is read", i))
            printf("# %s\n", err.message);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(objects_in(bad[i], strlen(bad[i]), &err) == -1 && err.status == STATUS_DATA,
           "JSON %zu is refused", i);
    size_t n = strlen(good[0]), refused = 0;
    for (size_t cut = 0; cut < n; cut++)
        refused += objects_in(good[0], cut, &err) == -1;
    is_int((long long)refused, (long long)n, "GeoJSON cut at any byte is refused");
    char deep[2000];
    memset(deep, '[', sizeof deep);
    ok(objects_in(deep, sizeof deep, &err) == -1, "JSON that is too deep is refused");
}

/* What a file of ours holds when it was cut; -1 refused, as everywhere. */
static void test_cut_zip(void)
{
    struct err err;
    struct array labels = new_labels(20, 30);
    char data[20000];
    draw(&labels, 1);
    if (!write_file(&labels, ANNOT_ROI_ZIP, &err))
        exit(1);
    size_t size = get_file(path, data, sizeof data), refused = 0;
    for (size_t cut = 0; cut < size; cut++)
        refused += objects_in(data, cut, &err) == -1 && err.status == STATUS_DATA;
    ok(size > 1000 && size < sizeof data, "a zip of %zu bytes", size);
    is_int((long long)refused, (long long)size, "a zip cut at any byte is refused");
    array_free(&labels);
}

static void test_numbers(void)
{
    static const char *const texts[] = {"0",
                                        "-0.5",
                                        "1e3",
                                        "123456789012345678901234567890",
                                        "1.25e-3",
                                        "0.1",
                                        "179.99999999999997"};
    struct err err;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct scan scan = {texts[i], texts[i], texts[i] + strlen(texts[i])};
        double value = 0;
        ok(scan_number(&scan, &value, &err) == 0 && value == strtod(texts[i], NULL), "%s",
           texts[i]);
    }
}

static void test_runs(void)
{
    static const int64_t numbers[] = {0, 1, 15, 16, 31, 32, 1000000, -1, -16, -17, -4000000};
    struct growing runs = {.size = sizeof(uint32_t)};
    struct err err;
    char text[4 * RUNS_TEXT] = "";
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        size_t n = runs_encode(text, 5000000);
        n += runs_encode(text + n, 5000000);
        n += runs_encode(text + n, 7);
        n += runs_encode(text + n, numbers[i]);
        text[n] = 0;
        runs.count = 0;
        wrong += runs_decode(&runs, text, &err) != 0 || runs.count != 4 ||
                 ((uint32_t *)runs.items)[3] != (uint32_t)(5000000 + numbers[i]);
    }
    is_int((long long)wrong, 0, "run lengths as text and back");
    growing_free(&runs);
}

int main(void)
{
    tap_plan(112);
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    test_round_trips();
    test_labelme();
    test_full();
    test_outlines();
    test_paint();
    test_tangles();
    test_comb();
    test_json();
    test_cut_zip();
    test_numbers();
    test_runs();
    unlink(path);
    return tap_done();
}
