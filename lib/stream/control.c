#include "stream/control.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/json.h"

#define FORMAT_NAME "tensor-stream"
#define SUM_PREFIX  "crc32c="

static json_t *load_object(const char *what, const unsigned char *text, size_t size,
                           struct err *err)
{
    json_error_t error;
    json_t *root = json_load_whole(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        err_set(err, STATUS_DATA, "%s is not a JSON object", what);
        json_decref(root);
        return NULL;
    }
    return root;
}

static int check_version(const json_t *root, struct err *err)
{
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *version = json_object_get(root, "version");
    if (!format || strcmp(format, FORMAT_NAME) != 0 || !json_is_integer(version))
        return err_set(err, STATUS_DATA, CONTROL_STREAM " does not name a format and version");
    if (json_integer_value(version) != CONTROL_VERSION)
        return err_set(err, STATUS_DATA,
                       "version %lld of the tensor stream, this program knows version %d",
                       (long long)json_integer_value(version), CONTROL_VERSION);
    return 0;
}

void provenance_free(struct provenance *provenance)
{
    json_decref(provenance->records);
    json_decref(provenance->known);
    *provenance = (struct provenance){0};
}

/* Looks the record's text up, so that the time stays linear in their number. */
static int append_new(struct provenance *provenance, json_t *record, struct err *err)
{
    char *text = json_dump_whole(record, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    int result = -1;
    if (text && json_object_get(provenance->known, text))
        result = 0;
    else if (text && json_object_set_new(provenance->known, text, json_true()) == 0) {
        json_int_t images = json_integer_value(json_object_get(record, "images"));
        provenance->images += images > 0 ? (uint64_t)images : 0;
        result = json_array_append(provenance->records, record);
    }
    free(text);
    return result ? err_memory(err, "provenance") : 0;
}

static int append_all(struct provenance *provenance, const json_t *root, struct err *err)
{
    const json_t *added = json_object_get(root, "provenance");
    size_t i;
    json_t *record;
    if (!json_is_array(added))
        return err_set(err, STATUS_DATA, CONTROL_STREAM " has no provenance");
    json_array_foreach(added, i, record) if (append_new(provenance, record, err)) return -1;
    return 0;
}

static int start_provenance(struct provenance *provenance, struct err *err)
{
    if (!provenance->records)
        *provenance = (struct provenance){json_array(), json_object(), 0};
    return provenance->records && provenance->known ? 0 : err_memory(err, "provenance");
}

int control_read_stream(struct provenance *provenance, const unsigned char *text, size_t size,
                        struct err *err)
{
    json_t *root = load_object(CONTROL_STREAM, text, size, err);
    if (!root)
        return -1;
    int result = start_provenance(provenance, err) || check_version(root, err) ||
                         append_all(provenance, root, err)
                     ? -1
                     : 0;
    json_decref(root);
    return result;
}

/* ---- sums ---- */

void control_count(struct stream_counts *counts, const char *name, uint32_t crc)
{
    uint8_t bytes[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                        (uint8_t)(crc >> 24)};
    counts->members++;
    counts->sum += crc32c(crc32c(0, name, strlen(name) + 1), bytes, sizeof bytes);
}

void control_format_sum(uint32_t crc, char text[CONTROL_SUM_SIZE])
{
    snprintf(text, CONTROL_SUM_SIZE, SUM_PREFIX "%08" PRIx32, crc);
}

static bool parse_hex(const char *text, uint32_t *value)
{
    char *end;
    *value = (uint32_t)strtoul(text, &end, 16);
    return strlen(text) == 8 && end == text + 8;
}

bool control_parse_sum(const char *text, uint32_t *crc)
{
    size_t length = strlen(SUM_PREFIX);
    return text && strncmp(text, SUM_PREFIX, length) == 0 && parse_hex(text + length, crc);
}

/* ---- __end__ ---- */

static int read_failures(json_t *failures, const json_t *root, struct err *err)
{
    const json_t *failed = json_object_get(root, "failed");
    size_t i;
    json_t *failure;
    if (failed && !json_is_array(failed))
        return err_set(err, STATUS_DATA, CONTROL_END " has no list of what failed");
    json_array_foreach(failed, i, failure)
    {
        if (!json_is_string(json_object_get(failure, "source")))
            return err_set(err, STATUS_DATA, CONTROL_END " does not name what failed");
        if (json_array_append(failures, failure))
            return err_memory(err, "what failed");
    }
    return 0;
}

int control_read_end(struct stream_counts *counts, json_t *failures, const unsigned char *text,
                     size_t size, struct err *err)
{
    json_t *root = load_object(CONTROL_END, text, size, err);
    if (!root)
        return -1;
    const json_t *samples = json_object_get(root, "samples");
    const json_t *members = json_object_get(root, "members");
    const json_t *sum = json_object_get(root, "crc32c");
    bool good = json_is_integer(samples) && json_is_integer(members);
    counts->has_sum = sum != NULL;
    good &= !sum || (json_is_string(sum) && parse_hex(json_string_value(sum), &counts->sum));
    counts->samples = (uint64_t)json_integer_value(samples);
    counts->members = (uint64_t)json_integer_value(members);
    int result = good ? read_failures(failures, root, err)
                      : err_set(err, STATUS_DATA, CONTROL_END " lacks its counts");
    json_decref(root);
    return result;
}

json_t *control_failure(const char *source, uint64_t samples, const char *reason)
{
    return json_pack("{s:o, s:I, s:o}", "source", json_from_text(source), "samples",
                     (json_int_t)samples, "reason", json_from_text(reason));
}

int control_describe_failures(const json_t *failures, struct err *err)
{
    size_t count = json_array_size(failures);
    const json_t *first = json_array_get(failures, 0);
    const char *source = json_string_value(json_object_get(first, "source"));
    const char *reason = json_string_value(json_object_get(first, "reason"));
    if (count == 0)
        return 0;
    if (count == 1)
        err_set(err, STATUS_SOME_FAILED, "'%.200s' failed before: %.200s", source,
                reason ? reason : "for an unknown reason");
    else
        err_set(err, STATUS_SOME_FAILED, "'%.200s' and %zu more failed before", source, count - 1);
    return 1;
}

/* ---- writing ---- */

static json_t *text_or_null(const char *text)
{
    return text ? json_from_text(text) : json_null();
}

static json_t *record_of(const struct stream_author *author)
{
    json_t *record =
        json_pack("{s:o, s:s, s:o, s:o, s:o}", "program", text_or_null(author->program), "version",
                  MORPHOSEG_VERSION, "arguments", text_or_null(author->arguments), "seed",
                  text_or_null(author->seed), "weights_sha256", text_or_null(author->weights));
    if (record && author->images &&
        json_object_set_new(record, "images", json_integer((json_int_t)author->images))) {
        json_decref(record);
        return NULL;
    }
    return record;
}

char *control_write_stream(const struct stream_author *author, const char *upstream)
{
    json_t *records =
        upstream ? json_load_whole(upstream, strlen(upstream), 0, NULL) : json_array();
    char *text = NULL;
    if (records && json_array_append_new(records, record_of(author)) == 0) {
        json_t *root = json_pack("{s:s, s:i, s:O}", "format", FORMAT_NAME, "version",
                                 CONTROL_VERSION, "provenance", records);
        text = root ? json_dump_whole(root, JSON_COMPACT) : NULL;
        json_decref(root);
    }
    json_decref(records);
    return text;
}

char *control_write_end(const struct stream_counts *counts, const json_t *failures)
{
    char sum[CONTROL_SUM_SIZE];
    snprintf(sum, sizeof sum, "%08" PRIx32, counts->sum);
    json_t *root = json_pack("{s:I, s:I, s:s}", "samples", (json_int_t)counts->samples, "members",
                             (json_int_t)counts->members, "crc32c", sum);
    int rc = root ? 0 : -1;
    if (rc == 0 && json_array_size(failures))
        rc = json_object_set(root, "failed", (json_t *)failures);
    char *text = rc == 0 ? json_dump_whole(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}
