#include "weights/numpy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weights/zip.h"

static bool is_zip(const unsigned char *file, size_t size)
{
    return size >= 4 && memcmp(file, "PK\3\4", 4) == 0;
}

bool numpy_is(const unsigned char *file, size_t size)
{
    return (size >= 6 && memcmp(file, "\x93NUMPY", 6) == 0) || is_zip(file, size);
}

/* ---- names ---- */

void numpy_names_add(struct numpy_names *names, const char *name, size_t length)
{
    size_t room = sizeof names->text - names->length;
    int n = snprintf(names->text + names->length, room, "%s%.*s", names->length ? ", " : "",
                     length < 40 ? (int)length : 40, name);
    if (n > 0 && (size_t)n < room)
        names->length += (size_t)n;
    else
        names->text[names->length] = '\0';
}

int numpy_absent(const struct numpy_names *names, struct err *err)
{
    return err_set(err, STATUS_DATA, "none of its arrays has a name that is known, it has: %s",
                   names->length ? names->text : "none");
}

/* ---- .npz ---- */

static int view_npy(struct numpy_array *array, const unsigned char *file, size_t size,
                    struct err *err)
{
    if (npy_read_header(&array->layout, file, size, err))
        return -1;
    if (array->layout.object)
        return err_set(err, STATUS_DATA, "its elements are objects");
    array->data = file + array->layout.size;
    return 0;
}

static int read_record(struct numpy_array *array, struct zip_entry *entry, struct err *err)
{
    unsigned char *inflated = NULL;
    if (!entry->deflated)
        return zip_check(entry, err) ? -1 : view_npy(array, entry->data, entry->size, err);
    if (zip_inflate(entry, &inflated, err))
        return -1;
    array->memory = inflated;
    return view_npy(array, inflated, entry->size, err);
}

static bool is_npy(const struct zip_entry *entry)
{
    return entry->name_length > 4 && memcmp(entry->name + entry->name_length - 4, ".npy", 4) == 0;
}

/* The only array, or the first that has one of the names; else NULL and the names. */
static struct zip_entry *choose(const struct zip *zip, const char *const *names,
                                struct numpy_names *found)
{
    struct zip_entry *only = NULL;
    size_t count = 0;
    char name[64];
    for (size_t i = 0; i < zip->count; i++) {
        struct zip_entry *entry = &zip->entries[i];
        if (!is_npy(entry))
            continue;
        numpy_names_add(found, entry->name, entry->name_length - 4);
        only = entry;
        count++;
    }
    if (count == 1)
        return only;
    for (; *names; names++) {
        snprintf(name, sizeof name, "%s.npy", *names);
        struct zip_entry *entry = zip_find(zip, name, strlen(name));
        if (entry)
            return entry;
    }
    return NULL;
}

static int open_npz(struct numpy_array *array, const unsigned char *file, size_t size,
                    const char *const *names, struct err *err)
{
    struct numpy_names found = {.length = 0};
    struct zip zip;
    if (zip_open(&zip, file, size, err))
        return -1;
    struct zip_entry *entry = choose(&zip, names, &found);
    int result = entry          ? read_record(array, entry, err)
                 : found.length ? numpy_absent(&found, err)
                                : err_set(err, STATUS_DATA, "a zip archive without arrays");
    zip_close(&zip);
    return result;
}

/* ---- either ---- */

int numpy_open(struct numpy_array *array, const unsigned char *file, size_t size,
               const char *const *names, struct err *err)
{
    *array = (struct numpy_array){.data = NULL};
    if (is_zip(file, size))
        return open_npz(array, file, size, names, err);
    if (npy_read_header(&array->layout, file, size, err))
        return -1;
    size_t begin = array->layout.size;
    if (array->layout.object)
        return npy_object_find(array, file + begin, size - begin, names, err);
    array->data = file + begin;
    return 0;
}

void numpy_close(struct numpy_array *array)
{
    free(array->memory);
    *array = (struct numpy_array){.data = NULL};
}
