/* Whole images out of files: masks, probabilities, flows. */
#ifndef TILES_PICTURE_FILE_H
#define TILES_PICTURE_FILE_H

#include "tiles/picture.h"

/* All fill a picture of the path's name, size and size of pixels; the caller ends it
 * with picture_free, also after a failure.
 *
 * A mask or label image: its labels are the prediction. */
int picture_read_mask(struct picture *picture, const char *path, struct err *err) MUST_CHECK;

/* An image of one channel: the foreground, and the prediction, 1 where it reaches the
 * threshold, of which 0 means one half. */
int picture_read_probability(struct picture *picture, const char *path, float threshold,
                             struct err *err) MUST_CHECK;

/* An image of three channels of floating point, flows and the cell's logit as stitch(1)
 * writes them: the values. */
int picture_read_flows(struct picture *picture, const char *path, struct err *err) MUST_CHECK;

#endif
