/* What is written of the cells of images: label images, a table of all, outlines. */
#ifndef ANNOT_RESULTS_H
#define ANNOT_RESULTS_H

#include "core/destination.h"
#include "core/spill.h"
#include "tiles/picture.h"

enum results_export {
    RESULTS_ROIS,
    RESULTS_GEOJSON,
    RESULTS_COCO,
    RESULTS_COCO_RLE,
    RESULTS_SVG,
    RESULTS_LABELME,
    RESULTS_EXPORTS
};

/* Paths are files, "-", or folders with a file for each image; NULL: not wanted. */
struct results_options {
    const char *labels, *table, *exports[RESULTS_EXPORTS];
    const char *suffix;      /* of names in folders, after the stem */
    const char *intensities; /* see struct intensities */
    const char *stream;      /* that the images come from, or NULL: for whose files they are */
    int format;              /* of label images where no name tells it, -1: TIFF */
    bool several;            /* images, for which a file will not do: STATUS_USAGE */
};

/* Whether cells are measured: for the table, and for QuPath, which gets its values. */
bool results_measure(const struct results_options *options);

struct results;

/* The options are borrowed.  The caller ends it with results_commit. */
int results_begin(struct results **results, const struct results_options *options,
                  struct err *err) MUST_CHECK;

/* Whether label images go into one file or to standard output. */
bool results_have_one_image(const struct results *results);

/* An image whose prediction has become its cells; classes: what they were before
 * (objects/cells.h), without data when that is not known. */
int results_put(struct results *results, struct picture *picture, const struct spill *classes,
                struct err *err) MUST_CHECK;

/* Frees it, also when it fails; what was begun and not committed leaves no file. */
int results_commit(struct results *results, struct err *err) MUST_CHECK;

#endif
