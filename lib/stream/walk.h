/* All samples of a stream, one after the other. */
#ifndef STREAM_WALK_H
#define STREAM_WALK_H

#include "stream/stream.h"

/* What is done with a sample, valid during the call. */
typedef int stream_take(void *user, const struct sample *sample, struct err *err);

/* Opens the stream, "-" is standard input, and gives each sample to `take`, whose
 * failure ends it with -1; the message then names the stream and the sample when its data
 * were wrong or asked for too much.  1 with a message when the stream ended well but lacks
 * something (stream_failed), else 0. */
int stream_walk(const char *path, stream_take *take, void *user, struct err *err) MUST_CHECK;

#endif
