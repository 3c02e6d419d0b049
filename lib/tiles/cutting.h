/* The cells of a stream's images, cut out to be pasted elsewhere. */
#ifndef TILES_CUTTING_H
#define TILES_CUTTING_H

#include "objects/paste.h"

/* Takes the cells of all samples, an image and a mask that numbers cells each; what was added to
 * fill a tile is not the image's.  STATUS_DATA when there is no whole cell, and for a mask in black
 * and white. */
int cutouts_of_stream(struct cutouts *cutouts, const char *path, struct err *err) MUST_CHECK;

#endif
