/* PyTorch checkpoints.  Since 1.6 torch.save writes a zip archive: FOLDER/data.pkl
 * names the tensors and refers to storages, FOLDER/data/KEY has a storage's bytes.
 * Before, one file: the pickles of a magic number, a version, the machine, the
 * object, a list of keys, and then each storage's count and bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/strided.h"
#include "weights/bytes.h"
#include "weights/internal.h"
#include "weights/pickle.h"
#include "weights/zip.h"

#define MAX_DEPTH     64
#define MAX_NAME      1000
#define MAX_COPY_GAIN 8  /* bytes copied for views with strides, against the file's */
#define MAX_NAME_GAIN 64 /* bytes of all names, against the pickle's */

struct legacy_storage {
    const struct pickle_value *value;
    const unsigned char *data;
};

struct checkpoint {
    struct weights *weights;
    struct zip *zip; /* NULL for the legacy format */
    const char *folder;
    size_t folder_length;
    struct legacy_storage *storages; /* of the legacy format, sorted by key */
    size_t storage_count;
    size_t copied, steps, named; /* bytes; entries walked; bytes of names */
    size_t pickle_size;
    char name[MAX_NAME + 1];
};

static int text_length(const struct pickle_value *text)
{
    return text->as.text.length < 200 ? (int)text->as.text.length : 200;
}

static int compare_texts(const struct pickle_value *a, const struct pickle_value *b)
{
    size_t x = a->as.text.length, y = b->as.text.length;
    int order = memcmp(a->as.text.bytes, b->as.text.bytes, x < y ? x : y);
    return order ? order : (x > y) - (x < y);
}

/* ---- storages ---- */

static size_t storage_bytes(const struct pickle_value *storage)
{
    size_t bytes;
    if (!num_mul(storage->as.storage.count, dtype_size(storage->as.storage.dtype), &bytes))
        return SIZE_MAX;
    return bytes;
}

static int check_record(struct zip_entry *entry, size_t expected, struct err *err)
{
    if (entry->deflated)
        return err_set(err, STATUS_DATA, "record '%.*s' is compressed, which torch.save never does",
                       (int)entry->name_length, entry->name);
    if (entry->size != expected)
        return err_set(err, STATUS_DATA, "record '%.*s' has %zu bytes, its storage needs %zu",
                       (int)entry->name_length, entry->name, entry->size, expected);
    return zip_check(entry, err);
}

/* FOLDER/NAME, or NULL */
static struct zip_entry *find_record(const struct checkpoint *c, const char *kind, const char *name,
                                     size_t name_length)
{
    char path[MAX_NAME];
    if (c->folder_length > 300 || name_length > 300)
        return NULL;
    int length = snprintf(path, sizeof path, "%.*s/%s", (int)c->folder_length, c->folder, kind);
    memcpy(path + length, name, name_length);
    return zip_find(c->zip, path, (size_t)length + name_length);
}

static const unsigned char *zip_data(const struct checkpoint *c, const struct pickle_value *storage,
                                     struct err *err)
{
    const struct pickle_value *key = storage->as.storage.key;
    struct zip_entry *entry = find_record(c, "data/", key->as.text.bytes, key->as.text.length);
    if (!entry)
        err_set(err, STATUS_DATA, "the data of storage '%.*s' are not there", text_length(key),
                key->as.text.bytes);
    else if (!check_record(entry, storage_bytes(storage), err))
        return entry->data;
    return NULL;
}

static struct legacy_storage *find_legacy(const struct checkpoint *c,
                                          const struct pickle_value *key)
{
    size_t low = 0, high = c->storage_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_texts(c->storages[middle].value->as.storage.key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == c->storage_count || compare_texts(c->storages[low].value->as.storage.key, key))
        return NULL;
    return &c->storages[low];
}

/* Storages of one key are one storage: their class and size must be the same. */
static const unsigned char *legacy_data(const struct checkpoint *c,
                                        const struct pickle_value *storage, struct err *err)
{
    const struct pickle_value *key = storage->as.storage.key;
    const struct legacy_storage *found = find_legacy(c, key);
    if (found && found->data && found->value->as.storage.dtype == storage->as.storage.dtype &&
        found->value->as.storage.count == storage->as.storage.count)
        return found->data;
    err_set(err, STATUS_DATA, "the data of storage '%.*s' are not there", text_length(key),
            key->as.text.bytes);
    return NULL;
}

/* ---- tensors ---- */

/* Every element must lie in the storage, and there must be no more elements than
 * the storage has: a view that repeats some could be of any size. */
static int check_extent(int ndim, const size_t *shape, const size_t *stride, size_t offset,
                        size_t storage, struct err *err)
{
    size_t count = 1, last = offset, reach;
    for (int i = 0; i < ndim; i++)
        if (shape[i] == 0)
            return 0;
    for (int i = 0; i < ndim; i++)
        if (!num_mul(count, shape[i], &count) || !num_mul(shape[i] - 1, stride[i], &reach) ||
            !num_add(last, reach, &last))
            count = last = SIZE_MAX;
    if (last >= storage)
        return err_set(err, STATUS_DATA, "it reaches beyond its storage of %zu elements", storage);
    if (count > storage)
        return err_set(err, STATUS_DATA, "it repeats elements of its storage");
    return 0;
}

static int copy_view(struct checkpoint *c, struct array *array, const struct array *view,
                     const size_t *stride, struct err *err)
{
    c->copied += array_bytes(view);
    if (c->copied / MAX_COPY_GAIN > c->weights->file.size)
        return err_set(err, STATUS_DATA, "views repeat the storages too often");
    if (array_new(array, view->dtype, view->ndim, view->shape, err))
        return -1;
    strided_copy(array, view->data, stride);
    return 0;
}

static int read_tensor(struct checkpoint *c, const struct pickle_value *tensor, struct array *array,
                       struct err *err)
{
    const struct pickle_value *storage = tensor->as.tensor.storage;
    int64_t offset = tensor->as.tensor.offset->as.integer;
    enum dtype dtype = storage->as.storage.dtype;
    size_t shape[ARRAY_MAX_DIMS] = {0}, stride[ARRAY_MAX_DIMS] = {0}, bytes;
    static const char otherwise[] = "its size and stride are not sizes";
    int ndim = pickle_sizes(tensor->as.tensor.size, shape, otherwise, err);
    if (ndim < 0 || array_check_bytes(dtype, ndim, shape, &bytes, err))
        return -1;
    int strides = pickle_sizes(tensor->as.tensor.stride, stride, otherwise, err);
    if (strides != ndim || offset < 0)
        return strides < 0 ? -1 : err_set(err, STATUS_DATA, "its stride does not fit its size");
    if (check_extent(ndim, shape, stride, (size_t)offset, storage->as.storage.count, err))
        return -1;
    const unsigned char *data = c->zip ? zip_data(c, storage, err) : legacy_data(c, storage, err);
    if (!data)
        return -1;
    if (bytes)
        data += (size_t)offset * dtype_size(dtype);
    if (strided_is_contiguous(ndim, shape, stride) || bytes == 0)
        return weights_place(array, dtype, ndim, shape, data, err);
    struct array view = array_view(dtype, ndim, shape, (void *)(uintptr_t)data);
    return copy_view(c, array, &view, stride, err);
}

/* ---- names ---- */

static int collect(struct checkpoint *c, const struct pickle_value *value, size_t name_length,
                   int depth, struct err *err);

static int collect_tensor(struct checkpoint *c, const struct pickle_value *tensor,
                          size_t name_length, struct err *err)
{
    struct array array;
    c->named += name_length;
    if (c->named / MAX_NAME_GAIN > c->pickle_size)
        return err_set(err, STATUS_DATA, "the pickle repeats itself");
    if (read_tensor(c, tensor, &array, err)) {
        c->name[name_length] = 0;
        return err_prefix(err, "tensor '%s'", c->name);
    }
    return weights_take(c->weights, c->name, name_length, &array, err);
}

/* Appends ".part", or "part" to an empty name. */
static int extend_name(struct checkpoint *c, size_t *length, const char *part, size_t part_length,
                       struct err *err)
{
    if (part_length + 1 > MAX_NAME - *length)
        return err_set(err, STATUS_DATA, "a tensor's name is longer than %d bytes", MAX_NAME);
    if (*length)
        c->name[(*length)++] = '.';
    memcpy(c->name + *length, part, part_length);
    *length += part_length;
    return 0;
}

static bool may_hold_tensors(const struct pickle_value *value)
{
    return value->kind == PICKLE_TENSOR || value->kind == PICKLE_DICT ||
           value->kind == PICKLE_LIST || value->kind == PICKLE_TUPLE;
}

static int collect_named(struct checkpoint *c, const struct pickle_value *key,
                         const struct pickle_value *value, size_t name_length, int depth,
                         struct err *err)
{
    char digits[24];
    if (!may_hold_tensors(value))
        return 0;
    if (key->kind == PICKLE_INTEGER) {
        int length = snprintf(digits, sizeof digits, "%lld", (long long)key->as.integer);
        if (extend_name(c, &name_length, digits, (size_t)length, err))
            return -1;
    } else if (key->kind != PICKLE_TEXT) {
        return 0; /* what is kept by other keys has no names as weights have them */
    } else if (extend_name(c, &name_length, key->as.text.bytes, key->as.text.length, err)) {
        return -1;
    }
    return collect(c, value, name_length, depth, err);
}

static int collect_dict(struct checkpoint *c, const struct pickle_value *dict, size_t name_length,
                        int depth, struct err *err)
{
    for (size_t i = 0; i < dict->as.list.count; i += 2)
        if (collect_named(c, dict->as.list.items[i], dict->as.list.items[i + 1], name_length, depth,
                          err))
            return -1;
    return 0;
}

static int collect_list(struct checkpoint *c, const struct pickle_value *list, size_t name_length,
                        int depth, struct err *err)
{
    for (size_t i = 0; i < list->as.list.count; i++) {
        struct pickle_value index = {.kind = PICKLE_INTEGER, .as.integer = (int64_t)i};
        if (collect_named(c, &index, list->as.list.items[i], name_length, depth, err))
            return -1;
    }
    return 0;
}

static int collect(struct checkpoint *c, const struct pickle_value *value, size_t name_length,
                   int depth, struct err *err)
{
    /* Each entry takes two bytes of the pickle or more, unless it is met again. */
    if (++c->steps > c->pickle_size || depth > MAX_DEPTH)
        return err_set(err, STATUS_DATA, "the pickle is nested too deeply or repeats itself");
    if (value->kind == PICKLE_TENSOR)
        return collect_tensor(c, value, name_length, err);
    if (value->kind == PICKLE_DICT)
        return collect_dict(c, value, name_length, depth + 1, err);
    return collect_list(c, value, name_length, depth + 1, err);
}

static const struct pickle_value *dict_get(const struct pickle_value *dict, const char *name)
{
    for (size_t i = 0; i < dict->as.list.count; i += 2) {
        const struct pickle_value *key = dict->as.list.items[i];
        if (key->kind == PICKLE_TEXT && key->as.text.length == strlen(name) &&
            memcmp(key->as.text.bytes, name, key->as.text.length) == 0)
            return dict->as.list.items[i + 1];
    }
    return NULL;
}

/* Whether there is a tensor somewhere in a value; `left` bounds the search. */
static bool has_tensor(const struct pickle_value *value, int depth, size_t *left)
{
    if (value->kind == PICKLE_TENSOR)
        return true;
    if (!may_hold_tensors(value) || depth > MAX_DEPTH)
        return false;
    for (size_t i = 0; i < value->as.list.count && *left; i++) {
        --*left;
        if (has_tensor(value->as.list.items[i], depth + 1, left))
            return true;
    }
    return false;
}

/* The state dictionary of a training checkpoint, or the dictionary itself. */
static const struct pickle_value *state_dict(const struct checkpoint *c,
                                             const struct pickle_value *root)
{
    static const char *const keys[] = {
        "state_dict", "model_state_dict", "model_state",    "model",
        "net",        "network_weights",  "net_state_dict", "network_state_dict",
        "network",    "weights",          "params",         "module"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct pickle_value *inner = dict_get(root, keys[i]);
        size_t left = c->pickle_size;
        if (inner && inner->kind == PICKLE_DICT && has_tensor(inner, 0, &left))
            return inner;
    }
    return root;
}

static bool all_begin(const struct weights *weights, const char *prefix, size_t length)
{
    for (size_t i = 0; i < weights->count; i++)
        if (strncmp(weights->items[i].name, prefix, length) != 0 || !weights->items[i].name[length])
            return false;
    return weights->count > 0;
}

/* What wrappers of a network put before every name: DataParallel, torch.compile, Lightning,
 * nnU-Net and trainers of one's own; one inside the other, too. */
static void strip_wrappers(struct weights *weights)
{
    static const char *const prefixes[] = {
        "module.",          "_orig_mod.", "model.",          "net.",
        "network_weights.", "network.",   "_forward_module."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (all_begin(weights, prefixes[i], strlen(prefixes[i]))) {
            weights_strip(weights, prefixes[i]);
            i = (size_t)-1; /* again, for the next wrapper */
        }
}

static int collect_all(struct checkpoint *c, const struct pickle *pickle, struct err *err)
{
    const struct pickle_value *root = pickle->root;
    c->weights->format = "pth";
    c->pickle_size = pickle->size;
    if (root->kind != PICKLE_DICT)
        return err_set(err, STATUS_DATA,
                       "the checkpoint is not a dictionary of tensors (save model.state_dict(), "
                       "not the model)");
    if (collect(c, state_dict(c, root), 0, 0, err))
        return -1;
    if (c->weights->count == 0)
        return err_set(err, STATUS_DATA,
                       "the checkpoint has no tensors (save model.state_dict(), not the model)");
    strip_wrappers(c->weights);
    return 0;
}

/* ---- the zip format ---- */

/* The only FOLDER/data.pkl of the archive, or NULL */
static struct zip_entry *find_pickle(const struct zip *zip)
{
    static const char name[] = "/data.pkl";
    size_t length = strlen(name);
    for (size_t i = 0; i < zip->count; i++) {
        struct zip_entry *entry = &zip->entries[i];
        if (entry->name_length > length &&
            memcmp(entry->name + entry->name_length - length, name, length) == 0)
            return entry;
    }
    return NULL;
}

bool pth_is_zip(const struct zip *zip)
{
    return find_pickle(zip) != NULL;
}

static int check_byte_order(const struct checkpoint *c, struct err *err)
{
    struct zip_entry *entry = find_record(c, "byteorder", "", 0);
    if (entry && (entry->size != 6 || memcmp(entry->data, "little", 6) != 0))
        return err_set(err, STATUS_DATA, "the checkpoint is not of a little-endian machine");
    return 0;
}

int pth_read_zip(struct weights *weights, struct zip *zip, struct err *err)
{
    struct zip_entry *entry = find_pickle(zip);
    struct checkpoint c = {.weights = weights,
                           .zip = zip,
                           .folder = entry->name,
                           .folder_length = entry->name_length - strlen("/data.pkl")};
    struct pickle pickle;
    if (check_byte_order(&c, err) || check_record(entry, entry->size, err) ||
        pickle_read(&pickle, entry->data, entry->size, err))
        return -1;
    int result = pickle.size == entry->size ? collect_all(&c, &pickle, err)
                                            : err_set(err, STATUS_DATA, "bytes follow the pickle");
    pickle_free(&pickle);
    return result;
}

/* ---- the format before it ---- */

static const unsigned char legacy_magic[] = {0x8a, 10,   0x6c, 0xfc, 0x9c, 0x46,
                                             0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

bool pth_is_legacy(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    return size > 2 + sizeof legacy_magic && bytes[0] == 0x80 &&
           memcmp(bytes + 2, legacy_magic, sizeof legacy_magic) == 0;
}

static int compare_storages(const void *a, const void *b)
{
    const struct legacy_storage *x = a, *y = b;
    return compare_texts(x->value->as.storage.key, y->value->as.storage.key);
}

/* All storages that the object mentions, one of each key. */
static int list_storages(struct checkpoint *c, const struct pickle *object, struct err *err)
{
    size_t count = 0, kept = 0;
    c->storages = calloc(object->value_count + 1, sizeof *c->storages);
    if (!c->storages)
        return err_memory(err, "a list of storages");
    struct pickle_walk walk = pickle_walk(object);
    for (const struct pickle_value *v; (v = pickle_next(&walk));)
        if (v->kind == PICKLE_STORAGE)
            c->storages[count++].value = v;
    qsort(c->storages, count, sizeof *c->storages, compare_storages);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_storages(&c->storages[kept - 1], &c->storages[i]) != 0)
            c->storages[kept++] = c->storages[i];
    c->storage_count = kept;
    return 0;
}

/* Each storage: a 64-bit count of elements, then their bytes. */
static int place_storage(struct checkpoint *c, const struct pickle_value *key, size_t *at,
                         struct err *err)
{
    const unsigned char *file = c->weights->file.data;
    size_t left = c->weights->file.size - *at;
    struct legacy_storage *storage = key->kind == PICKLE_TEXT ? find_legacy(c, key) : NULL;
    if (!storage || storage->data)
        return err_set(err, STATUS_DATA, "the list of storages does not fit the tensors");
    size_t bytes = storage_bytes(storage->value);
    if (left < 8 || bytes > left - 8)
        return err_set(err, STATUS_DATA, "the file is cut");
    if (bytes_le(file + *at, 8) != storage->value->as.storage.count)
        return err_set(err, STATUS_DATA, "the size of storage '%.*s' differs", text_length(key),
                       key->as.text.bytes);
    storage->data = file + *at + 8;
    *at += 8 + bytes;
    return 0;
}

static int place_storages(struct checkpoint *c, const struct pickle_value *keys, size_t at,
                          struct err *err)
{
    if (keys->kind != PICKLE_LIST)
        return err_set(err, STATUS_DATA, "the list of storages is not a list");
    for (size_t i = 0; i < keys->as.list.count; i++)
        if (place_storage(c, keys->as.list.items[i], &at, err))
            return -1;
    if (at != c->weights->file.size)
        return err_set(err, STATUS_DATA, "bytes follow the last storage");
    return 0;
}

static int read_next(struct pickle *pickle, const struct weights *weights, size_t *at,
                     struct err *err)
{
    const unsigned char *file = weights->file.data;
    if (pickle_read(pickle, file + *at, weights->file.size - *at, err))
        return -1;
    *at += pickle->size;
    return 0;
}

/* Magic number, version 1001, and the machine that wrote. */
static int read_preamble(const struct weights *weights, size_t *at, struct err *err)
{
    struct pickle pickle;
    for (int i = 0; i < 3; i++) {
        if (read_next(&pickle, weights, at, err))
            return -1;
        const struct pickle_value *root = pickle.root;
        bool right = true;
        if (i == 1)
            right = root->kind == PICKLE_INTEGER && root->as.integer == 1001;
        if (i == 2) {
            const struct pickle_value *little =
                root->kind == PICKLE_DICT ? dict_get(root, "little_endian") : NULL;
            right = little && little->kind == PICKLE_INTEGER && little->as.integer == 1;
        }
        pickle_free(&pickle);
        if (!right)
            return err_set(err, STATUS_DATA, "%s",
                           i == 1 ? "that version of torch.save's format is not supported"
                                  : "the checkpoint is not of a little-endian machine");
    }
    return 0;
}

static int read_legacy(struct checkpoint *c, const struct pickle *object, size_t at,
                       struct err *err)
{
    struct pickle keys;
    if (list_storages(c, object, err) || read_next(&keys, c->weights, &at, err))
        return -1;
    int result = place_storages(c, keys.root, at, err);
    pickle_free(&keys);
    return result ? result : collect_all(c, object, err);
}

int pth_read_legacy(struct weights *weights, struct err *err)
{
    struct checkpoint c = {.weights = weights};
    struct pickle object;
    size_t at = 0;
    if (read_preamble(weights, &at, err) || read_next(&object, weights, &at, err))
        return -1;
    int result = read_legacy(&c, &object, at, err);
    free(c.storages);
    pickle_free(&object);
    return result;
}
