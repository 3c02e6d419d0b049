/* JSON by jansson, whole or not at all, and of bytes that may be no text. */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <jansson.h>

/* A file's name or a command line may hold any bytes, JSON is UTF-8: others become %XX.
 * New; NULL when out of memory. */
json_t *json_from_text(const char *text);

/* As json_loadb, which drops characters when its memory cannot grow: whole, or NULL, which
 * error->text explains.  error may be NULL. */
json_t *json_load_whole(const void *bytes, size_t size, size_t flags, json_error_t *error);

/* The sizes of an array.  New; NULL when out of memory. */
json_t *json_from_shape(const size_t *shape, int ndim);

/* As json_dumps, which drops names of members when its memory cannot grow: whole, or NULL
 * when out of memory.  New. */
char *json_dump_whole(const json_t *json, size_t flags);

#endif
