/* Texts of JSON from bytes that may be none. */
#ifndef STREAM_TEXT_H
#define STREAM_TEXT_H

#include <jansson.h>

/* A file's name or a command line may hold any bytes, JSON is UTF-8: others become %XX.
 * New; NULL when out of memory. */
json_t *text_to_json(const char *text);

#endif
