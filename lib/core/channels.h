/* Interleaved pixels with another number of channels. */
#ifndef CORE_CHANNELS_H
#define CORE_CHANNELS_H

#include "core/array.h"

enum channels_wish { CHANNELS_KEEP, CHANNELS_GRAY, CHANNELS_RGB };

/* How many channels an image of `channels` colors, alpha not counted, has afterwards.  0 when
 * it cannot be done: what is neither gray nor RGB has no luma and no colors. */
int channels_after(int channels, enum channels_wish wish);

/* `n` pixels of type uint8, uint16 or float32.  From three or more to one is the
 * luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, rounded to nearest; from one
 * or two to three repeats the first; otherwise the first `to_channels` are kept. */
void channels_convert(const void *from, int from_channels, void *to, int to_channels,
                      enum dtype dtype, size_t n);

#endif
