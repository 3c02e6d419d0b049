/* Outlines as JSON has them, each a ring of the piece that is being built. */
#ifndef ANNOT_POINTS_H
#define ANNOT_POINTS_H

#include "annot/build.h"
#include "annot/scan.h"

/* [[x, y], [x, y], ...]; what a point has after its two numbers is left out. */
int points_of_pairs(struct scan *scan, struct build *build, struct err *err) MUST_CHECK;

/* [x, y, x, y, ...] */
int points_of_numbers(struct scan *scan, struct build *build, struct err *err) MUST_CHECK;

#endif
