/* All samples of a stream, one after the other. */
#ifndef STREAM_WALK_H
#define STREAM_WALK_H

#include "stream/stream.h"

/* What is done with a sample, valid during the call. */
typedef int stream_take(void *user, const struct stream_reader *reader, const struct sample *sample,
                        struct err *err);

/* Opens the stream, "-" is standard input, and gives each sample to `take`, whose
 * failure ends it with -1; the message then names the stream and the sample when its data
 * were wrong or asked for too much.  1 with a message when the stream ended well but lacks
 * something (stream_failed), else 0. */
int stream_walk(const char *path, stream_take *take, void *user, struct err *err) MUST_CHECK;

/* How far it is, for people who wait.  Zero-initialised it is the begin. */
struct walk_place {
    uint64_t samples, images; /* so far; images that have begun */
    char source[1024];        /* of the last sample */
    int64_t index;
};

/* A sample was done: says how many images of those that the stream announces, how many tiles of
 * the only one, or how many samples where it announces nothing. */
void walk_progress(struct walk_place *place, const struct tile_meta *meta, uint64_t announced,
                   void (*progress)(const char *unit, uint64_t done, uint64_t total));

#endif
