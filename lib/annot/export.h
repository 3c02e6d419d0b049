/* Outlines of one image after the other: into one file where the format holds several
 * images, else into a file or a folder's files. */
#ifndef ANNOT_EXPORT_H
#define ANNOT_EXPORT_H

#include "annot/annot.h"
#include "core/destination.h"

struct annot_export {
    enum annot_format format;
    struct destination to;
    struct annot_writer *writer; /* of the file that holds all images */
};

/* Path and suffix are borrowed.  STATUS_USAGE when several images need a folder. */
int annot_export_begin(struct annot_export *export, enum annot_format format, const char *path,
                       const char *suffix, bool several, struct err *err) MUST_CHECK;

/* Adds an image: as annot_put.  In a folder the file has the stem, and `source` is what
 * destination_file knows its own files by. */
int annot_export_put(struct annot_export *export, const struct annot_image *image, const char *stem,
                     const char *source, const struct array *labels, struct cell_values *values,
                     struct err *err) MUST_CHECK;

/* A zeroed export is fine for both. */
int annot_export_commit(struct annot_export *export, struct err *err) MUST_CHECK;
void annot_export_abort(struct annot_export *export);

#endif
