#include "stream/describe.h"
#include "core/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

static void write_member(FILE *to, const struct member *member)
{
    if (!member->is_array) {
        text_put(to, member->name);
        fprintf(to, " %zu bytes", member->size);
        return;
    }
    char name[TEXT_GROWTH * SAMPLE_MAX_NAME];
    size_t length = text_harmless(name, sizeof name, member->name), ending = strlen(".npy");
    name[length > ending ? length - ending : 0] = '\0';
    fprintf(to, "%s %s", name, dtype_name(member->array.dtype));
    for (int i = 0; i < member->array.ndim; i++)
        fprintf(to, "%c%zu", i ? 'x' : ' ', member->array.shape[i]);
    if (member->array.ndim == 0)
        fputs(" scalar", to);
}

char *describe_key(const struct sample *sample)
{
    struct tile_meta meta;
    struct err err;
    bool is_other = sample_get_meta(sample, &meta, &err) == 0 && meta.key[0];
    return strdup(is_other ? meta.key : sample->key);
}

char *describe_members(const struct sample *sample)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    for (size_t i = 0; i < sample->count; i++) {
        if (i)
            fputc('\t', to);
        write_member(to, &sample->members[i]);
    }
    return fclose(to) ? NULL : text;
}

static json_t *json_of_member(const struct member *member)
{
    if (!member->is_array)
        return json_pack("{s:s, s:I}", "name", member->name, "bytes", (json_int_t)member->size);
    json_t *shape = json_from_shape(member->array.shape, member->array.ndim);
    return json_pack("{s:s, s:s, s:o}", "name", member->name, "dtype",
                     dtype_name(member->array.dtype), "shape", shape);
}

char *describe_json(const struct sample *sample)
{
    const struct member *meta = sample_member(sample, "json");
    json_t *members = json_array();
    int failed = 0;
    for (size_t i = 0; i < sample->count; i++)
        failed |= json_array_append_new(members, json_of_member(&sample->members[i]));
    json_t *root = json_pack("{s:s, s:o}", "key", sample->key, "members", members);
    if (meta)
        failed |= json_object_set_new(
            root, "meta", json_load_whole(meta->bytes, meta->size, JSON_DECODE_ANY, NULL));
    char *text = root && !failed ? json_dump_whole(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}

static void write_text(FILE *to, const char *before, const json_t *value)
{
    if (!json_is_string(value))
        return;
    fputs(before, to);
    text_put(to, json_string_value(value));
}

char *describe_provenance(const char *provenance)
{
    char *text = NULL;
    size_t size, i;
    json_t *record, *records = json_load_whole(provenance, strlen(provenance), 0, NULL);
    FILE *to = open_memstream(&text, &size);
    if (!to) {
        json_decref(records);
        return NULL;
    }
    json_array_foreach(records, i, record)
    {
        write_text(to, "", json_object_get(record, "program"));
        write_text(to, " ", json_object_get(record, "version"));
        write_text(to, ": ", json_object_get(record, "arguments"));
        write_text(to, ", seed ", json_object_get(record, "seed"));
        write_text(to, ", weights ", json_object_get(record, "weights_sha256"));
        fputc('\n', to);
    }
    json_decref(records);
    return fclose(to) ? NULL : text;
}
