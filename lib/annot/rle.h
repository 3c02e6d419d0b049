/* COCO's run lengths: background, object, background, ... down the columns of an
 * image; as text in groups of five bits, from the fourth on as the difference to
 * the one two before. */
#ifndef ANNOT_RLE_H
#define ANNOT_RLE_H

#include "annot/annot.h"
#include "core/growing.h"

/* Appends the runs, uint32_t, of a text. */
int runs_decode(struct growing *runs, const char *text, struct err *err) MUST_CHECK;

/* Bytes that one run takes at most as text. */
#define RUNS_TEXT 8

/* Writes a run as text, without a NUL; its length.  `difference` is what is written. */
size_t runs_encode(char to[RUNS_TEXT], int64_t difference);

/* Appends the runs of the box's label. */
int runs_of_label(struct growing *runs, const struct array *labels, const struct box *box,
                  struct err *err) MUST_CHECK;

#endif
