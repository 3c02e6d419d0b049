/* ImageJ's .roi format, as ij.io.RoiDecoder documents it: big-endian, a header of
 * 64 bytes, coordinates, a second header, a name. */
#ifndef ANNOT_ROI_H
#define ANNOT_ROI_H

#include "annot/file.h"

/* Adds the outline in a .roi file to the builder, as one piece, and its plane.  Lines,
 * points, angles and texts have no area: build_no_area. */
int roi_parse(struct build *build, const unsigned char *data, size_t size,
              struct err *err) MUST_CHECK;

/* Gives the object in a .roi file; a name of digits is its label. */
int roi_give(struct annot_file *file, struct build *build, const unsigned char *data, size_t size,
             const char *name, size_t number, annot_take *take, void *user,
             struct err *err) MUST_CHECK;

/* A new .roi file with the object's outline, traced from labels: a polygon, or a
 * composite when it has holes or pieces; free() it. */
int roi_format(unsigned char **data, size_t *size, const struct annot_object *object,
               const char *name, struct err *err) MUST_CHECK;

#endif
