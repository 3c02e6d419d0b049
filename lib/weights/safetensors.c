/* The safetensors format: a little-endian 64-bit length, so much JSON, then the
 * tensors' bytes.  As in the reference implementation the tensors must cover the
 * rest of the file without hole or overlap. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/json.h"
#include "core/num.h"
#include "core/outfile.h"
#include "weights/bytes.h"
#include "weights/internal.h"

#define MAX_HEADER 100000000

static const struct {
    const char *name;
    enum dtype dtype;
} dtypes[] = {
    {"BOOL", DTYPE_BOOL}, {"U8", DTYPE_U8},   {"I8", DTYPE_I8},     {"U16", DTYPE_U16},
    {"I16", DTYPE_I16},   {"U32", DTYPE_U32}, {"I32", DTYPE_I32},   {"U64", DTYPE_U64},
    {"I64", DTYPE_I64},   {"F16", DTYPE_F16}, {"BF16", DTYPE_BF16}, {"F32", DTYPE_F32},
    {"F64", DTYPE_F64},
};
#define DTYPE_COUNT (sizeof dtypes / sizeof *dtypes)

struct range {
    size_t begin, end;
};

/* What is being read: the bytes after the header, and the ranges seen so far. */
struct reader {
    struct weights *weights;
    const char *data;
    size_t data_size;
    struct range *ranges;
    size_t range_count;
};

static int dtype_of(const json_t *value, enum dtype *dtype, struct err *err)
{
    const char *name = json_string_value(value);
    if (!name)
        return err_set(err, STATUS_DATA, "it has no dtype");
    for (size_t i = 0; i < DTYPE_COUNT; i++)
        if (strcmp(name, dtypes[i].name) == 0) {
            *dtype = dtypes[i].dtype;
            return 0;
        }
    return err_set(err, STATUS_DATA, "dtype '%s' is not supported", name);
}

static const char *dtype_written(enum dtype dtype)
{
    for (size_t i = 0; i < DTYPE_COUNT; i++)
        if (dtypes[i].dtype == dtype)
            return dtypes[i].name;
    return NULL;
}

static int size_list(const json_t *value, size_t *out, size_t max, const char *what,
                     struct err *err)
{
    if (!json_is_array(value))
        return err_set(err, STATUS_DATA, "it has no %s", what);
    size_t count = json_array_size(value);
    if (count > max)
        return err_set(err, STATUS_DATA, "its %s has %zu numbers, at most %zu are supported", what,
                       count, max);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_integer(item) || json_integer_value(item) < 0)
            return err_set(err, STATUS_DATA, "its %s is not a list of sizes", what);
        out[i] = (size_t)json_integer_value(item);
    }
    return (int)count;
}

static int read_range(const json_t *value, size_t data_size, struct range *range, struct err *err)
{
    size_t offsets[2];
    int count = size_list(value, offsets, 2, "data_offsets", err);
    if (count < 0)
        return -1;
    if (count != 2 || offsets[0] > offsets[1])
        return err_set(err, STATUS_DATA, "its data_offsets are not a begin and an end");
    if (offsets[1] > data_size)
        return err_set(err, STATUS_DATA, "its data end at %zu, but the file has %zu bytes of data",
                       offsets[1], data_size);
    *range = (struct range){offsets[0], offsets[1]};
    return 0;
}

static int read_array(const struct reader *reader, const json_t *entry, struct array *array,
                      struct range *range, struct err *err)
{
    enum dtype dtype = DTYPE_F32;
    size_t shape[ARRAY_MAX_DIMS], bytes;
    if (dtype_of(json_object_get(entry, "dtype"), &dtype, err))
        return -1;
    int ndim = size_list(json_object_get(entry, "shape"), shape, ARRAY_MAX_DIMS, "shape", err);
    if (ndim < 0 || array_check_bytes(dtype, ndim, shape, &bytes, err) ||
        read_range(json_object_get(entry, "data_offsets"), reader->data_size, range, err))
        return -1;
    if (range->end - range->begin != bytes)
        return err_set(err, STATUS_DATA, "its shape needs %zu bytes, its data_offsets give %zu",
                       bytes, range->end - range->begin);
    return weights_place(array, dtype, ndim, shape, reader->data + range->begin, err);
}

static int read_tensor(struct reader *reader, const char *name, const json_t *entry,
                       struct err *err)
{
    struct array array;
    struct range *range = &reader->ranges[reader->range_count];
    if (read_array(reader, entry, &array, range, err))
        return err_prefix(err, "tensor '%s'", name);
    reader->range_count++;
    return weights_take(reader->weights, name, strlen(name), &array, err);
}

static int read_metadata(struct weights *weights, json_t *object, struct err *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return err_set(err, STATUS_DATA, "__metadata__ is not an object");
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return err_set(err, STATUS_DATA, "__metadata__ '%s' is not a string", key);
        if (weights_append_metadata(weights, key, json_string_value(value), err))
            return -1;
    }
    return 0;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int check_cover(struct reader *reader, struct err *err)
{
    size_t covered = 0;
    qsort(reader->ranges, reader->range_count, sizeof *reader->ranges, compare_ranges);
    for (size_t i = 0; i < reader->range_count; i++) {
        if (reader->ranges[i].begin != covered)
            return err_set(err, STATUS_DATA, "tensors %s at byte %zu of the data",
                           reader->ranges[i].begin < covered ? "overlap" : "leave a hole", covered);
        covered = reader->ranges[i].end;
    }
    if (covered != reader->data_size)
        return err_set(err, STATUS_DATA, "%zu bytes follow the last tensor",
                       reader->data_size - covered);
    return 0;
}

static int read_header(struct reader *reader, json_t *header, struct err *err)
{
    const char *name;
    json_t *entry;
    json_object_foreach(header, name, entry)
    {
        bool metadata = strcmp(name, "__metadata__") == 0;
        if (metadata ? read_metadata(reader->weights, entry, err)
                     : read_tensor(reader, name, entry, err))
            return -1;
    }
    return check_cover(reader, err);
}

static json_t *parse_header(const char *text, size_t size, struct err *err)
{
    json_error_t error;
    json_t *header = json_load_whole(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!header)
        err_set(err, STATUS_DATA, "the header is not JSON: %s", error.text);
    else if (!json_is_object(header))
        err_set(err, STATUS_DATA, "the header is not a JSON object");
    else
        return header;
    json_decref(header);
    return NULL;
}

int safetensors_read(struct weights *weights, struct err *err)
{
    const char *bytes = weights->file.data;
    size_t size = weights->file.size;
    uint64_t length = size < 8 ? UINT64_MAX : bytes_le(weights->file.data, 8);
    if (length > MAX_HEADER || length > size - 8)
        return err_set(err, STATUS_DATA, "neither safetensors, nor a PyTorch checkpoint, nor .npz");
    weights->format = "safetensors";
    json_t *header = parse_header(bytes + 8, (size_t)length, err);
    if (!header)
        return -1;
    struct reader reader = {.weights = weights,
                            .data = bytes + 8 + length,
                            .data_size = size - 8 - (size_t)length,
                            .ranges = calloc(json_object_size(header) + 1, sizeof(struct range))};
    int result = reader.ranges ? read_header(&reader, header, err) : err_memory(err, "a header");
    free(reader.ranges);
    json_decref(header);
    return result;
}

/* ---- writing ---- */

static int compare_for_writing(const void *a, const void *b)
{
    const struct weight *x = *(struct weight *const *)a, *y = *(struct weight *const *)b;
    size_t sx = dtype_size(x->array.dtype), sy = dtype_size(y->array.dtype);
    if (sx != sy)
        return sx > sy ? -1 : 1;
    return (x > y) - (x < y);
}

/* Larger elements first, else the given order.  New; the caller frees it. */
static const struct weight **writing_order(const struct weights *weights)
{
    const struct weight **order = calloc(weights->count + 1, sizeof *order);
    if (!order)
        return NULL;
    for (size_t i = 0; i < weights->count; i++)
        order[i] = &weights->items[i];
    qsort(order, weights->count, sizeof *order, compare_for_writing);
    return order;
}

static json_t *metadata_json(const struct weights *weights)
{
    json_t *object = json_object();
    for (size_t i = 0; i < weights->metadata_count; i++)
        if (json_object_set_new(object, weights->metadata[i].key,
                                json_string(weights->metadata[i].value))) {
            json_decref(object);
            return NULL;
        }
    return object;
}

/* Steals `value`, also when it fails. */
static int add_entry(json_t *header, const char *name, json_t *value, struct err *err)
{
    if (!value || json_object_get(header, name) || json_object_set_new_nocheck(header, name, value))
        return err_set(err, STATUS_DATA, "'%s' is named twice or is not UTF-8", name);
    return 0;
}

static json_t *tensor_json(const struct array *array, size_t begin)
{
    json_t *shape = json_from_shape(array->shape, array->ndim);
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtype_written(array->dtype), "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)(begin + array_bytes(array)));
}

static json_t *header_json(const struct weights *weights, const struct weight **order,
                           struct err *err)
{
    json_t *header = json_object();
    size_t offset = 0;
    int failed = add_entry(header, "__metadata__", metadata_json(weights), err);
    for (size_t i = 0; i < weights->count && !failed; i++) {
        failed = add_entry(header, order[i]->name, tensor_json(&order[i]->array, offset), err);
        offset += array_bytes(&order[i]->array);
    }
    if (!failed && !weights->metadata_count)
        json_object_del(header, "__metadata__");
    if (!failed)
        return header;
    json_decref(header);
    return NULL;
}

static int write_header(struct outfile *out, json_t *header, struct err *err)
{
    char *text = json_dump_whole(header, JSON_COMPACT);
    if (!text)
        return err_set(err, STATUS_DATA, "a name or a metadata value is not UTF-8");
    size_t length = strlen(text), padding = -length & 7;
    unsigned char size[8];
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)(length + padding) >> 8 * i);
    int failed = outfile_write(out, size, 8, err) || outfile_write(out, text, length, err) ||
                 outfile_write(out, "       ", padding, err);
    free(text);
    return failed ? -1 : 0;
}

static int write_all(const struct weights *weights, const struct weight **order,
                     struct outfile *out, struct err *err)
{
    json_t *header = header_json(weights, order, err);
    if (!header)
        return -1;
    int failed = write_header(out, header, err);
    json_decref(header);
    for (size_t i = 0; i < weights->count && !failed; i++)
        failed = outfile_write(out, order[i]->array.data, array_bytes(&order[i]->array), err);
    return failed;
}

int weights_write(const struct weights *weights, const char *path, struct err *err)
{
    struct outfile *out = NULL;
    const struct weight **order = writing_order(weights);
    int failed = order ? outfile_open(&out, path, err) : err_memory(err, "a list of tensors");
    if (!failed && write_all(weights, order, out, err)) {
        outfile_abort(out);
        failed = -1;
    } else if (!failed) {
        failed = outfile_commit(out, err);
    }
    free(order);
    return failed;
}
