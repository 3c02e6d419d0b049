/* A .npy file that holds one dictionary of numbers and arrays, as numpy.save writes
 * it: Cellpose's size models and its _seg.npy are such files. */
#include <stdlib.h>
#include <string.h>

#include "core/npy.h"
#include "weights/internal.h"
#include "weights/numpy.h"
#include "weights/pickle.h"

static int append(char *text, size_t *length, size_t size, const struct pickle_value *part)
{
    if (part->as.text.length >= size - *length)
        return -1;
    memcpy(text + *length, part->as.text.bytes, part->as.text.length);
    *length += part->as.text.length;
    text[*length] = 0;
    return 0;
}

/* Element type, shape and order of a PICKLE_ARRAY or PICKLE_SCALAR. */
static int layout_of(const struct pickle_value *value, struct npy_header *layout, struct err *err)
{
    static const struct pickle_value native = {.kind = PICKLE_TEXT, .as.text = {"<", 1}};
    const struct pickle_value *dtype = value->as.array.dtype, *shape = value->as.array.shape;
    char descr[16] = "";
    size_t length = 0;
    *layout = (struct npy_header){0};
    if (!dtype ||
        append(descr, &length, sizeof descr,
               dtype->as.dtype.order ? dtype->as.dtype.order : &native) ||
        append(descr, &length, sizeof descr, dtype->as.dtype.code))
        return err_set(err, STATUS_DATA, "its element type is not known");
    if (npy_parse_type(layout, descr, err))
        return -1;
    layout->fortran = value->as.array.fortran && value->as.array.fortran->as.integer;
    layout->ndim = shape ? pickle_sizes(shape, layout->shape, "its shape is none", err) : 0;
    return layout->ndim < 0 ? -1 : 0;
}

/* The bytes that the characters of a text in UTF-8 stand for, at most U+00FF; new. */
static unsigned char *decode_latin1(const struct pickle_value *text, size_t *size)
{
    const unsigned char *from = (const unsigned char *)text->as.text.bytes;
    size_t length = text->as.text.length, n = 0;
    unsigned char *bytes = malloc(length + 1);
    for (size_t i = 0; bytes && i < length; i++) {
        bool two = (from[i] & 0xfe) == 0xc2 && i + 1 < length && (from[i + 1] & 0xc0) == 0x80;
        if (from[i] >= 0x80 && !two) {
            free(bytes);
            return NULL;
        }
        bytes[n++] = two ? (unsigned char)(from[i] << 6 | (from[i + 1] & 0x3f)) : from[i];
        i += two;
    }
    *size = n;
    return bytes;
}

/* The elements, in the pickle or in array->memory, as many bytes as the shape needs. */
static int find_elements(const struct pickle_value *value, struct numpy_array *array,
                         struct err *err)
{
    const struct pickle_value *data = value->as.array.data;
    struct npy_header *layout = &array->layout;
    size_t size, expected;
    if (layout_of(value, layout, err))
        return -1;
    if (layout->object || !data || (data->kind != PICKLE_TEXT && data->kind != PICKLE_LATIN1))
        return err_set(err, STATUS_DATA, "its elements are no numbers");
    array->data = data->as.text.bytes;
    size = data->as.text.length;
    if (data->kind == PICKLE_LATIN1)
        array->data = array->memory = decode_latin1(data, &size);
    if (!array->data)
        return err_set(err, STATUS_DATA, "its bytes are malformed");
    if (array_check_bytes(layout->dtype, layout->ndim, layout->shape, &expected, err))
        return -1;
    if (expected != size)
        return err_set(err, STATUS_DATA, "its shape needs %zu bytes, there are %zu", expected,
                       size);
    return 0;
}

static int read_elements(const struct pickle_value *value, struct array *array, struct err *err)
{
    struct numpy_array found = {.data = NULL};
    int result = find_elements(value, &found, err);
    if (result == 0)
        result = npy_copy(array, &found.layout, found.data, err);
    numpy_close(&found);
    return result;
}

static int read_number(double number, struct array *array, struct err *err)
{
    if (array_new(array, DTYPE_F64, 0, NULL, err))
        return -1;
    *(double *)array->data = number;
    return 0;
}

static int read_value(const struct pickle_value *value, struct array *array, struct err *err)
{
    switch (value->kind) {
    case PICKLE_REAL:
        return read_number(value->as.real, array, err);
    case PICKLE_INTEGER:
        return read_number((double)value->as.integer, array, err);
    case PICKLE_ARRAY:
    case PICKLE_SCALAR:
        return read_elements(value, array, err);
    default:
        return err_set(err, STATUS_DATA, "it is neither a number nor an array");
    }
}

static int read_dict(struct weights *weights, const struct pickle_value *dict, struct err *err)
{
    for (size_t i = 0; i + 1 < dict->as.list.count; i += 2) {
        const struct pickle_value *key = dict->as.list.items[i];
        struct array array;
        if (key->kind != PICKLE_TEXT)
            return err_set(err, STATUS_DATA, "a name that is no text");
        int shown = key->as.text.length < 100 ? (int)key->as.text.length : 100;
        if (read_value(dict->as.list.items[i + 1], &array, err))
            return err_prefix(err, "'%.*s'", shown, key->as.text.bytes);
        if (weights_take(weights, key->as.text.bytes, key->as.text.length, &array, err))
            return -1;
    }
    return 0;
}

/* The one element of an array of objects without dimensions, when it is a dictionary. */
static const struct pickle_value *only_dict(const struct pickle_value *root)
{
    const struct pickle_value *data = root->kind == PICKLE_ARRAY ? root->as.array.data : NULL;
    if (!data || data->kind != PICKLE_LIST || data->as.list.count != 1 ||
        root->as.array.shape->as.list.count != 0 || data->as.list.items[0]->kind != PICKLE_DICT)
        return NULL;
    return data->as.list.items[0];
}

/* The dictionary of a file of which the header has been read. */
static int read_pickle(struct pickle *pickle, const unsigned char *bytes, size_t size,
                       const struct pickle_value **dict, struct err *err)
{
    if (pickle_read(pickle, bytes, size, err))
        return -1;
    *dict = only_dict(pickle->root);
    if (pickle->size == size && *dict)
        return 0;
    err_set(err, STATUS_DATA, "it holds no dictionary of arrays");
    if (pickle->size != size)
        err_set(err, STATUS_DATA, "%zu bytes are left over", size - pickle->size);
    pickle_free(pickle);
    return -1;
}

int npy_object_read(struct weights *weights, struct err *err)
{
    const unsigned char *bytes = weights->file.data;
    const struct pickle_value *dict;
    struct npy_header header;
    struct pickle pickle;
    weights->format = "npy";
    if (npy_read_header(&header, bytes, weights->file.size, err))
        return -1;
    if (!header.object)
        return err_set(err, STATUS_DATA, "an array without a name; .npz has names");
    if (read_pickle(&pickle, bytes + header.size, weights->file.size - header.size, &dict, err))
        return -1;
    int result = read_dict(weights, dict, err);
    pickle_free(&pickle);
    return result;
}

static const struct pickle_value *value_of(const struct pickle_value *dict, const char *name)
{
    for (size_t i = 0; i + 1 < dict->as.list.count; i += 2) {
        const struct pickle_value *key = dict->as.list.items[i];
        if (key->kind == PICKLE_TEXT && key->as.text.length == strlen(name) &&
            memcmp(key->as.text.bytes, name, key->as.text.length) == 0)
            return dict->as.list.items[i + 1];
    }
    return NULL;
}

static int absent(const struct pickle_value *dict, struct err *err)
{
    struct numpy_names names = {.length = 0};
    for (size_t i = 0; i + 1 < dict->as.list.count; i += 2) {
        const struct pickle_value *key = dict->as.list.items[i];
        if (key->kind == PICKLE_TEXT)
            numpy_names_add(&names, key->as.text.bytes, key->as.text.length);
    }
    return numpy_absent(&names, err);
}

int npy_object_find(struct numpy_array *array, const unsigned char *bytes, size_t size,
                    const char *const *names, struct err *err)
{
    const struct pickle_value *dict, *value = NULL;
    struct pickle pickle;
    if (read_pickle(&pickle, bytes, size, &dict, err))
        return -1;
    const char *const *name = names;
    while (*name && !(value = value_of(dict, *name)))
        name++;
    int result = !value                        ? absent(dict, err)
                 : value->kind == PICKLE_ARRAY ? find_elements(value, array, err)
                                               : err_set(err, STATUS_DATA, "it is no array");
    pickle_free(&pickle);
    return result && value ? err_prefix(err, "'%s'", *name) : result;
}
