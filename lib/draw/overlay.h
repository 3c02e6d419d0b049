/* Outlines of a mask over its image, drawn from rows of both as they come: what
 * overlay(1) draws of two files.  Only the rows that an outline needs are in memory; an
 * image of more than 8 bits waits in a spill (core/spill.h) until its last row, since
 * its percentiles 0.5 and 99.5 are shown black and white. */
#ifndef DRAW_OVERLAY_H
#define DRAW_OVERLAY_H

#include "core/array.h"

struct overlay;

/* A row of the picture, width x 3 bytes of RGB. */
typedef int overlay_take(void *user, const uint8_t *rgb, struct err *err);

struct overlay_options {
    size_t width, height;
    size_t channels;  /* of the image: 3 or 4 are shown in color, of others the first */
    enum dtype dtype; /* of the image: uint8, uint16 or float32, else STATUS_DATA */
    overlay_take *take;
    void *user;
};

/* The caller ends it with overlay_free; NULL is fine there. */
int overlay_new(struct overlay **overlay, const struct overlay_options *options,
                struct err *err) MUST_CHECK;
void overlay_free(struct overlay *overlay);

/* The next row: `width` labels, 0 the background, and width x channels pixels. */
int overlay_add(struct overlay *overlay, const uint32_t *labels, const void *pixels,
                struct err *err) MUST_CHECK;

/* Draws what is left, after the last of the `height` rows.  STATUS_DATA when no value of
 * the image is finite. */
int overlay_finish(struct overlay *overlay, struct err *err) MUST_CHECK;

#endif
