/* An annotation file that is open for reading, shared by the readers of formats. */
#ifndef ANNOT_FILE_H
#define ANNOT_FILE_H

#include "annot/annot.h"
#include "annot/build.h"
#include "annot/scan.h"
#include "core/filemap.h"
#include "core/growing.h"

#define MAX_KEYS 64

struct file_image {
    char *name, *id;       /* id: of COCO, else NULL */
    int64_t width, height; /* 0: unknown */
    bool scales;           /* its objects may be painted at another size */
};

struct coco_category {
    char name[64], id[64];
};

/* Where an object is in the file, or the list of an image's objects. */
struct file_place {
    size_t image, at;
};

struct annot_reader;

struct annot_file {
    char *path;
    struct filemap bytes;
    char *text; /* of text in UTF-16: the same in UTF-8, else NULL */
    size_t text_size;
    const struct annot_reader *reader;
    struct scan root; /* of text: all of it, in UTF-8, without a byte order mark */
    struct file_key {
        char name[32]; /* cut */
        const char *at;
    } keys[MAX_KEYS];
    size_t key_count;
    const char *values;                /* of GeoJSON and LabelMe: where the list of objects is */
    struct growing images;             /* of struct file_image */
    struct growing categories;         /* of struct coco_category, by id */
    struct growing places;             /* of struct file_place, by image */
    int64_t paint_width, paint_height; /* of the image that is painted; 0: none is */
    size_t orphans;
    struct annot_left_out left_out;
};

/* A format: whether a file is of it, what is looked at before any image is read, and an
 * image's objects.  Errors are without the file's name. */
struct annot_reader {
    bool (*is)(const struct annot_file *file);
    int (*open)(struct annot_file *file, struct err *err); /* or NULL */
    int (*read)(struct annot_file *file, size_t image, annot_take *take, void *user,
                struct err *err);
};
extern const struct annot_reader read_roi, read_roi_zip, read_roi_tiff, read_cvat, read_yolo,
    read_geojson, read_coco, read_labelme, read_via;

/* The value at `at` in a file of JSON, or at its begin. */
struct scan file_scan(const struct annot_file *file, const char *at);

/* Where the value of a key of JSON's outermost object is, or of the first object in its
 * outermost list; NULL when there is none, or it comes after the first MAX_KEYS. */
const char *file_value(const struct annot_file *file, const char *key);
bool file_is_list(const struct annot_file *file);

/* Notes an image; the name and the id are copied, the id may be NULL. */
int file_add_image(struct annot_file *file, const char *name, const char *id, int64_t width,
                   int64_t height, struct err *err) MUST_CHECK;

/* Gives an object to `take` when `result` is 0, that of building it.  One that failed or
 * is empty is left out: 0 too, unless the reason was another than the data.  what: its
 * name or its number in the file, `what` and `number`. */
int file_give(struct annot_file *file, struct build *build, int result, const char *what,
              size_t number, annot_take *take, void *user, struct err *err) MUST_CHECK;

/* Reads each value of the list or object at `scan` as an object, and gives it, with its number
 * from 1. */
int file_give_all(struct annot_file *file, struct scan scan,
                  int (*read)(const struct annot_file *file, struct scan *scan, struct build *build,
                              struct err *err),
                  const char *what, annot_take *take, void *user, struct err *err) MUST_CHECK;

#endif
