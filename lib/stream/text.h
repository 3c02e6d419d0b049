/* Texts of JSON from bytes that may be none. */
#ifndef STREAM_TEXT_H
#define STREAM_TEXT_H

#include <jansson.h>

/* A file's name or a command line may hold any bytes, JSON is UTF-8: others become %XX.
 * New; NULL when out of memory. */
json_t *text_to_json(const char *text);

/* As json_loadb, which drops characters when its memory cannot grow: whole, or NULL, which
 * error->text explains.  error may be NULL. */
json_t *text_load(const void *bytes, size_t size, size_t flags, json_error_t *error);

/* The sizes of an array.  New; NULL when out of memory. */
json_t *text_shape(const size_t *shape, int ndim);

/* As json_dumps, which drops names of members when its memory cannot grow: whole, or NULL
 * when out of memory.  New. */
char *text_dump(const json_t *json, size_t flags);

#endif
