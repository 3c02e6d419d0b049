/* ImageJ's .roi format, as ij.io.RoiDecoder documents it: big-endian, a header of
 * 64 bytes, coordinates, a second header, a name. */
#ifndef ANNOT_ROI_H
#define ANNOT_ROI_H

#include "annot/build.h"

/* Adds the outline in a .roi file to the builder, as one piece.  Lines, points,
 * angles and texts have no area: STATUS_DATA. */
int roi_parse(struct build *build, const unsigned char *data, size_t size,
              struct err *err) MUST_CHECK;

/* A new .roi file with the object's outline, traced from labels: a polygon, or a
 * composite when it has holes or pieces; free() it. */
int roi_format(unsigned char **data, size_t *size, const struct annot_object *object,
               const char *name, struct err *err) MUST_CHECK;

#endif
