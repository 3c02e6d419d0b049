/* lib/annot: outlines of objects in the files of other programs, in and out. Tracing and filling
 * of outlines belong here; measuring objects does not. Many files: a format each, for reading and
 * for writing. */

/* Annotations: outlines of objects in images, as other programs read and write
 * them, from and to label images.
 *
 * Coordinates are in pixels of the image; (0, 0) is the upper left corner of the
 * upper left pixel, so a pixel's center is at (x + 0.5, y + 0.5).  A pixel belongs
 * to an outline when its center is inside. */
#ifndef ANNOT_ANNOT_H
#define ANNOT_ANNOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/array.h"
#include "objects/cell_values.h"
#include "objects/regions.h"

enum annot_format {
    ANNOT_ROI_ZIP,  /* ImageJ: a zip of .roi files */
    ANNOT_GEOJSON,  /* as QuPath reads it: a FeatureCollection */
    ANNOT_COCO,     /* polygons; run lengths for objects with holes */
    ANNOT_COCO_RLE, /* run lengths for all */
    ANNOT_SVG,      /* written only */
    ANNOT_LABELME,  /* polygons; cells are numbered anew when it is read back */
};

/* The image that annotations belong to. */
struct annot_image {
    const char *name;               /* the file's, with folders where they are known */
    int64_t width, height;          /* 0 when the annotations do not say */
    double full_width, full_height; /* of a larger image that this one was scaled from, or 0:
                                       GeoJSON and LabelMe are written in its pixels */
    bool scales;                    /* of one read: its objects may be painted at another size, too,
                                       and are scaled then */
};

/* ---- writing, from label images ---- */

/* What the objects are called.  All zero: every object is a "cell". */
struct annot_classes {
    const char *const *names;
    size_t count;
    const uint8_t *class_of; /* by label: index into names; NULL: all are names[0] */
    size_t labels;           /* entries of class_of; labels beyond are names[0] */
};

struct annot_writer;

/* Creates the file at `path`, "-" is standard output; whole or not at all. */
int annot_create(struct annot_writer **writer, const char *path, enum annot_format format,
                 struct err *err) MUST_CHECK;

/* Adds an image's objects: labels, H x W of uint32 with 0 for the background, is traced
 * along its pixels' edges, so that reading back gives the same pixels and the same labels.
 * An object may have holes and several pieces.  Only COCO holds more than one image:
 * STATUS_USAGE.  `classes` and `values`, which GeoJSON takes along, may be NULL. */
int annot_put(struct annot_writer *writer, const struct annot_image *image,
              const struct array *labels, const struct annot_classes *classes,
              struct cell_values *values, struct err *err) MUST_CHECK;

/* Both free the writer, also when they fail; annot_abort(NULL) does nothing. */
int annot_commit(struct annot_writer *writer, struct err *err) MUST_CHECK;
void annot_abort(struct annot_writer *writer);

/* ---- outlines ---- */

/* A closed outline: n points x0 y0 x1 y1 ..., the first one not repeated. */
struct annot_ring {
    double *points;
    size_t n;
};

/* A piece: a pixel is in it when it is in an odd number of its rings, which makes
 * holes, and is the rule for outlines that cross themselves. */
struct annot_piece {
    struct annot_ring *rings; /* when traced: the outer one, then its holes */
    size_t count;
};

/* Where in a stack an object is, from 1; 0: everywhere, or unknown. */
struct annot_plane {
    int64_t channel, z, t;
};

/* An object: all that is in any of its pieces or its runs. */
struct annot_object {
    uint32_t label;         /* as the file has it; 0 when it does not say */
    const char *class_name; /* "" when unknown */
    struct annot_piece *pieces;
    size_t count;
    struct annot_plane plane;
    const uint32_t *runs; /* background, object, background, ... down the columns */
    size_t run_count;
    int64_t run_x, run_y, run_width, run_height; /* the box that the runs fill */
};

/* Traces the label of a box (objects/regions.h) inside it; simple rings along the pixels'
 * edges, points only where they turn.  labels: H x W of uint32.  The caller frees with
 * annot_object_free. */
int annot_trace(struct annot_object *object, const struct array *labels, const struct box *box,
                struct err *err) MUST_CHECK;
void annot_object_free(struct annot_object *object);

/* Gives all pixels of the object the value; with keep_first those that are not 0
 * stay.  What lies outside the image is left out.  labels: uint32.  Returns how many
 * pixels of the image the object covers, or -1. */
int64_t annot_paint(struct array *labels, const struct annot_object *object, uint32_t value,
                    bool keep_first, struct err *err) MUST_CHECK;

/* ---- reading ---- */

struct annot_file;

/* Opens ImageJ .roi and .zip and its TIFF files with ROIs inside, GeoJSON, COCO, LabelMe, VIA,
 * CVAT and YOLO files, recognized by what they hold; "-" is standard input.  Memory does not grow
 * with the number of objects in a regular file but for a few bytes each. */
int annot_open(struct annot_file **file, const char *path, struct err *err) MUST_CHECK;
void annot_close(struct annot_file *file);

/* The images that the file is about, in its order; all but COCO, VIA and CVAT have one.  Names
 * have '/' between folders, also where the file has '\\'. */
size_t annot_image_count(const struct annot_file *file);
struct annot_image annot_image(const struct annot_file *file, size_t i); /* name borrowed */

/* Whether it may be painted at that size: its own, or one of its shape if it scales. */
bool annot_fits(const struct annot_image *image, int64_t width, int64_t height);

/* Gives the objects of an image to `take` one by one, valid during the call;
 * stops when that fails.  An object that cannot be given is left out; STATUS_DATA when
 * that is so of all that there are. */
typedef int annot_take(void *user, const struct annot_object *object, struct err *err);
int annot_read(struct annot_file *file, size_t image, annot_take *take, void *user,
               struct err *err) MUST_CHECK;

/* What the last annot_read left out.  Borrowed. */
struct annot_left_out {
    size_t given;
    size_t no_area, broken;                     /* lines, points and texts; what is malformed */
    char first_no_area[200], first_broken[200]; /* which, and why */
};
const struct annot_left_out *annot_left_out(const struct annot_file *file);

/* Annotations of images that a COCO file does not list. */
size_t annot_orphans(const struct annot_file *file);

/* ---- label images from annotations ---- */

enum annot_mode {
    ANNOT_INSTANCES, /* the objects' labels when the file gives each its own, else 1, 2, ... */
    ANNOT_CLASSES,   /* 1 for the first of the classes */
    ANNOT_BINARY,    /* 1 */
};

struct annot_raster {
    enum annot_mode mode;
    const char *const *classes; /* of ANNOT_CLASSES; an object of another one is an error */
    size_t class_count;
    bool keep_first;          /* where objects overlap, else the last one is seen */
    struct annot_plane plane; /* only objects that are on it */
};

struct annot_counts {
    size_t objects, empty; /* empty ones cover no pixel's center inside the image */
    size_t elsewhere;      /* on other planes */
    bool several_planes;   /* the objects are of */
    uint32_t largest;      /* value */
};

/* Paints all objects of an image into pixels, H x W of uint32. */
int annot_rasterize(struct annot_file *file, size_t image, const struct annot_raster *options,
                    struct array *pixels, struct annot_counts *counts, struct err *err) MUST_CHECK;

#endif
