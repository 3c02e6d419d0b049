#include "core/json.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "core/text.h"

/* jansson's reader drops characters of texts when its memory cannot grow, and does not say
 * so: an allocation that failed is noted here. */
static _Thread_local bool memory_failed;
static pthread_once_t noted_once = PTHREAD_ONCE_INIT;

static void *noted_malloc(size_t size)
{
    void *memory = malloc(size);
    memory_failed |= !memory;
    return memory;
}

static void note_failures(void)
{
    json_set_alloc_funcs(noted_malloc, free);
}

json_t *json_load_whole(const void *bytes, size_t size, size_t flags, json_error_t *error)
{
    json_error_t ignored = {.line = 0};
    error = error ? error : &ignored;
    pthread_once(&noted_once, note_failures);
    memory_failed = false;
    json_t *json = json_loadb(bytes, size, flags, error);
    if (!memory_failed)
        return json;
    json_decref(json);
    snprintf(error->text, sizeof error->text, "out of memory");
    return NULL;
}

json_t *json_from_text(const char *text)
{
    json_t *json = json_string(text);
    if (json)
        return json;
    char *escaped = malloc(3 * strlen(text) + 1), *to = escaped;
    if (!escaped)
        return NULL;
    for (const char *p = text; *p;) {
        size_t n = text_utf8_length(p);
        to += n ? sprintf(to, "%.*s", (int)n, p) : sprintf(to, "%%%02X", (unsigned char)*p);
        p += n ? n : 1;
    }
    json = json_string(escaped);
    free(escaped);
    return json;
}

json_t *json_from_shape(const size_t *shape, int ndim)
{
    json_t *json = json_array();
    int failed = 0;
    for (int i = 0; i < ndim; i++)
        failed |= json_array_append_new(json, json_integer((json_int_t)shape[i]));
    if (!failed)
        return json;
    json_decref(json);
    return NULL;
}

/* Once the text could not grow, all that follows is refused too, for jansson does not ask after
 * each piece. */
struct dumped {
    struct growing text;
    bool failed;
};

static int add_piece(const char *piece, size_t size, void *data)
{
    struct dumped *d = data;
    struct err none;
    d->failed = d->failed || growing_add_all(&d->text, piece, size, &none);
    return d->failed ? -1 : 0;
}

char *json_dump_whole(const json_t *json, size_t flags)
{
    struct dumped d = {.text.size = 1};
    if (json_dump_callback(json, add_piece, &d, flags) || add_piece("", 1, &d)) {
        growing_free(&d.text);
        return NULL;
    }
    return d.text.items;
}
