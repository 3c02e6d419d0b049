/* Private to lib/stream: what a reader knows that writers after it must say again. */
#ifndef STREAM_FAILURES_H
#define STREAM_FAILURES_H

#include <jansson.h>

#include "stream/stream.h"

/* Borrowed; the reader adds to it until its end. */
json_t *stream_failures(const struct stream_reader *reader);

#endif
