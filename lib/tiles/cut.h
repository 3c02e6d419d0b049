/* Images into the tiles of a stream: what tile(1) does with a file. */
#ifndef TILES_CUT_H
#define TILES_CUT_H

#include "core/channels.h"
#include "image/joined.h"
#include "stream/stream.h"
#include "tiles/tiling.h"

/* What is told of the values of a whole image: NOTED, its percentiles, for networks that ask
 * for them; else what networks see as 0 and 1. */
enum cut_range { CUT_NOTED, CUT_NONE, CUT_EXTREMES, CUT_PERCENTILES };
#define CUT_RANGE_WORDS "auto|none|minmax|percentile"

/* Texts are borrowed. */
struct cut_options {
    struct tiling_options tiling;
    int64_t resize;                  /* side of every tile in the stream; 0: as cut */
    const char *masks, *mask_suffix; /* folder of masks, or NULL; what their stems end
                                        with, NULL: as image/pairs.h says */
    enum channels_wish channels;
    enum cut_range range;
};

struct cutter;

/* Options and writer stay the caller's. */
int cutter_new(struct cutter **cutter, const struct cut_options *options,
               struct stream_writer *writer, struct err *err) MUST_CHECK;
void cutter_free(struct cutter *cutter); /* NULL is fine */

/* Writes the tiles of the image, one file, "-" for standard input, or its channels.  1 when the
 * image failed, which the stream tells later programs; -1 when the stream cannot be written, or
 * memory is out: no use to go on. */
int cutter_add(struct cutter *cutter, const struct joined *image, struct err *err) MUST_CHECK;

#endif
