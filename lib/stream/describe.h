/* What a sample holds, in words for people and as JSON for programs. */
#ifndef STREAM_DESCRIBE_H
#define STREAM_DESCRIBE_H

#include "stream/sample.h"

/* The sample's key as it was where it came from.  New, NULL when out of memory. */
char *describe_key(const struct sample *sample);

/* "image uint8 224x224x3", tabs between members, bytes as "json 312 bytes".
 * New, free() it; NULL when out of memory. */
char *describe_members(const struct sample *sample);

/* {"key": ..., "members": [...], "meta": KEY.json} on one line; the same rules. */
char *describe_json(const struct sample *sample);

/* One line a provenance record, as JSON or "tile 0.1.0: tile -s 224 a.tif". */
char *describe_provenance(const char *provenance);

#endif
