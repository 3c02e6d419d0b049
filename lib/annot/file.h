/* An annotation file that is open for reading, shared by the readers of formats. */
#ifndef ANNOT_FILE_H
#define ANNOT_FILE_H

#include "annot/annot.h"
#include "annot/growing.h"
#include "annot/scan.h"
#include "core/filemap.h"

enum annot_kind { KIND_ROI, KIND_ROI_ZIP, KIND_GEOJSON, KIND_COCO, KIND_LABELME };

struct coco_image {
    char *name;
    int64_t id, width, height;
};

struct coco_category {
    char name[64];
    int64_t id;
};

/* Where an annotation is in the file, and whose it is. */
struct coco_place {
    size_t image, at;
};

struct annot_file {
    char *path;
    struct filemap bytes;
    enum annot_kind kind;
    struct scan root;          /* of JSON: all of it */
    const char *values;        /* of GeoJSON and LabelMe: where the list of objects is */
    struct growing images;     /* of struct coco_image; one for the other kinds */
    struct growing categories; /* of struct coco_category, by id */
    struct growing places;     /* of struct coco_place, by image */
};

/* The value at `at` in the file. */
struct scan file_scan(const struct annot_file *file, const char *at);

/* Readers and what prepares them; all errors are without the file's name. */
int roi_read(struct annot_file *file, annot_take *take, void *user, struct err *err) MUST_CHECK;
int roi_zip_read(struct annot_file *file, annot_take *take, void *user, struct err *err) MUST_CHECK;
int geojson_read(struct annot_file *file, annot_take *take, void *user, struct err *err) MUST_CHECK;
int labelme_open(struct annot_file *file, struct err *err) MUST_CHECK;
int labelme_read(struct annot_file *file, annot_take *take, void *user, struct err *err) MUST_CHECK;
int coco_open(struct annot_file *file, struct err *err) MUST_CHECK;
int coco_read(struct annot_file *file, size_t image, annot_take *take, void *user,
              struct err *err) MUST_CHECK;

#endif
