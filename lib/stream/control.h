/* The JSON of the members __stream__ and __end__. */
#ifndef STREAM_CONTROL_H
#define STREAM_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "stream/stream.h"

#define CONTROL_STREAM  "__stream__"
#define CONTROL_END     "__end__"
#define CONTROL_VERSION 1

/* What __end__ says of what was between. */
struct stream_counts {
    uint64_t samples, members;
    bool has_sum; /* written since checksums are */
    uint32_t sum; /* of the CRC-32Cs, modulo 2^32, of each member's name, a zero byte, and the
                     CRC-32C of its data, 4 bytes, the lowest first: in any order */
};

void control_count(struct stream_counts *counts, const char *name, uint32_t crc);

/* A member's CRC-32C as the group's name of its header has it; false when it has none. */
#define CONTROL_SUM_SIZE 16
void control_format_sum(uint32_t crc, char text[CONTROL_SUM_SIZE]);
bool control_parse_sum(const char *text, uint32_t *crc);

/* Provenance records in the order they came, each once.  Zero-initialized it is
 * empty; the caller ends it with provenance_free. */
struct provenance {
    json_t *records; /* an array; NULL before the first */
    json_t *known;   /* an object whose keys are the records' texts, keys sorted */
    uint64_t images; /* that the records announce */
};

void provenance_free(struct provenance *provenance);

/* Adds the records of a __stream__ that are new. */
int control_read_stream(struct provenance *provenance, const unsigned char *text, size_t size,
                        struct err *err) MUST_CHECK;

/* Adds what failed before to `failures`, a JSON array. */
int control_read_end(struct stream_counts *counts, json_t *failures, const unsigned char *text,
                     size_t size, struct err *err) MUST_CHECK;

/* A source of which nothing, or not all, is in the stream; new, NULL when out of memory. */
json_t *control_failure(const char *source, uint64_t samples, const char *reason);

/* 1 with a message when there are any, else 0. */
int control_describe_failures(const json_t *failures, struct err *err);

/* New texts, free() them; NULL when out of memory.  `upstream` is a JSON array as text, or
 * NULL. */
char *control_write_stream(const struct stream_author *author, const char *upstream);
char *control_write_end(const struct stream_counts *counts, const json_t *failures);

#endif
