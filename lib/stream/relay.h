/* A filter's stream in and stream out, each with a thread of its own, so that reading and
 * writing go on while the filter computes. */
#ifndef STREAM_RELAY_H
#define STREAM_RELAY_H

#include "stream/stream.h"

struct relay;

/* Opens the stream `from`, creates `to` with the provenance of both, and starts the
 * threads.  `ahead`: how many samples may wait before the filter, and after it. */
int relay_open(struct relay **relay, const char *from, const char *to,
               const struct stream_author *author, size_t ahead, struct err *err) MUST_CHECK;

/* The next sample, new: the caller ends it with relay_put.  NULL at the end, or
 * where the stream is cut, which relay_cut and relay_finish tell. */
struct sample *relay_take(struct relay *relay);
bool relay_cut(const struct relay *relay);

/* See stream_images. */
uint64_t relay_images(const struct relay *relay);

/* Takes the sample; false when nothing more can be written, which relay_finish tells. */
bool relay_put(struct relay *relay, struct sample *sample) MUST_CHECK;

/* Writes what is left and commits; frees the relay also when it fails.  1, with the error set,
 * when sources failed before the stream came: stream_pass_failures.  A filter that fails
 * itself ends the program without. */
int relay_finish(struct relay *relay, struct err *err) MUST_CHECK;

#endif
