#include "weights/weights.h"

#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "weights/internal.h"
#include "weights/zip.h"

static bool has_control_characters(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    return false;
}

int weights_take(struct weights *weights, const char *name, size_t length, struct array *array,
                 struct err *err)
{
    if (has_control_characters(name, length)) {
        array_free(array);
        return err_set(err, STATUS_DATA, "a tensor's name has control characters");
    }
    char *copy = strndup(name, length);
    if (!copy || growing_room(&weights->items, weights->count, sizeof *weights->items, err)) {
        free(copy);
        array_free(array);
        return err_memory(err, "a list of tensors");
    }
    weights->items[weights->count++] = (struct weight){copy, *array};
    return 0;
}

int weights_add(struct weights *weights, const char *name, const struct array *array,
                struct err *err)
{
    if (weights_find(weights, name))
        return err_set(err, STATUS_DATA, "two tensors named '%s'", name);
    struct array copy;
    if (array_copy(&copy, array, err))
        return -1;
    return weights_take(weights, name, strlen(name), &copy, err);
}

static struct weights_metadata *find_metadata(const struct weights *weights, const char *key)
{
    for (size_t i = 0; i < weights->metadata_count; i++)
        if (strcmp(weights->metadata[i].key, key) == 0)
            return &weights->metadata[i];
    return NULL;
}

static int replace_metadata(struct weights_metadata *entry, const char *value, struct err *err)
{
    char *copy = strdup(value);
    if (!copy)
        return err_memory(err, "metadata");
    free(entry->value);
    entry->value = copy;
    return 0;
}

int weights_append_metadata(struct weights *weights, const char *key, const char *value,
                            struct err *err)
{
    struct weights_metadata new = {strdup(key), strdup(value)};
    if (!new.key || !new.value ||
        growing_room(&weights->metadata, weights->metadata_count, sizeof new, err)) {
        free(new.key);
        free(new.value);
        return err_memory(err, "metadata");
    }
    weights->metadata[weights->metadata_count++] = new;
    return 0;
}

int weights_set_metadata(struct weights *weights, const char *key, const char *value,
                         struct err *err)
{
    struct weights_metadata *entry = find_metadata(weights, key);
    if (entry)
        return replace_metadata(entry, value, err);
    return weights_append_metadata(weights, key, value, err);
}

const char *weights_metadata(const struct weights *weights, const char *key)
{
    const struct weights_metadata *entry = find_metadata(weights, key);
    return entry ? entry->value : NULL;
}

const struct array *weights_find(const struct weights *weights, const char *name)
{
    for (size_t i = 0; i < weights->count; i++)
        if (strcmp(weights->items[i].name, name) == 0)
            return &weights->items[i].array;
    return NULL;
}

size_t weights_strip(struct weights *weights, const char *prefix)
{
    size_t length = strlen(prefix), count = 0;
    for (size_t i = 0; i < weights->count; i++) {
        char *name = weights->items[i].name;
        if (strncmp(name, prefix, length) != 0 || !name[length])
            continue;
        memmove(name, name + length, strlen(name + length) + 1);
        count++;
    }
    return count;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int weights_check_names(const struct weights *weights, struct err *err)
{
    char **names = calloc(weights->count + 1, sizeof *names);
    if (!names)
        return err_memory(err, "a list of names");
    for (size_t i = 0; i < weights->count; i++)
        names[i] = weights->items[i].name;
    qsort(names, weights->count, sizeof *names, compare_names);
    int result = 0;
    for (size_t i = 1; i < weights->count && !result; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            result = err_set(err, STATUS_DATA, "two tensors named '%s'", names[i]);
    free(names);
    return result;
}

int weights_place(struct array *array, enum dtype dtype, int ndim, const size_t *shape,
                  const void *data, struct err *err)
{
    struct array view = array_view(dtype, ndim, shape, (void *)(uintptr_t)data);
    if ((uintptr_t)data % dtype_size(dtype))
        return array_copy(array, &view, err);
    *array = view;
    return 0;
}

static int read_zip(struct weights *weights, struct err *err)
{
    struct zip zip;
    if (zip_open(&zip, weights->file.data, weights->file.size, err))
        return -1;
    int result = pth_is_zip(&zip) ? pth_read_zip(weights, &zip, err) : npz_read(weights, &zip, err);
    zip_close(&zip);
    return result;
}

static int read_file(struct weights *weights, struct err *err)
{
    const unsigned char *bytes = weights->file.data;
    size_t size = weights->file.size;
    if (size == 0)
        return err_set(err, STATUS_DATA, "the file is empty");
    if (size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
        return read_zip(weights, err);
    if (size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0)
        return npy_object_read(weights, err);
    if (pth_is_legacy(bytes, size))
        return pth_read_legacy(weights, err);
    return safetensors_read(weights, err);
}

int weights_read(struct weights *weights, const char *path, struct err *err)
{
    *weights = (struct weights){0};
    if (filemap_open(&weights->file, path, err))
        return -1;
    if (read_file(weights, err) || weights_check_names(weights, err)) {
        weights_free(weights);
        return err_prefix(err, "read '%s'", path);
    }
    return 0;
}

void weights_free(struct weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        free(weights->items[i].name);
        array_free(&weights->items[i].array);
    }
    for (size_t i = 0; i < weights->metadata_count; i++) {
        free(weights->metadata[i].key);
        free(weights->metadata[i].value);
    }
    free(weights->items);
    free(weights->metadata);
    filemap_close(&weights->file);
    *weights = (struct weights){0};
}
