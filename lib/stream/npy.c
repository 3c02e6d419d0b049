#include "stream/npy.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"

#define ALIGNMENT 64
#define MAGIC     "\x93NUMPY"

/* What the header says. */
struct header {
    struct array array; /* dtype and shape */
    bool swap;          /* big-endian */
    bool fortran;
    size_t offset; /* of the elements */
};

static const struct {
    char kind;
    size_t size;
    enum dtype dtype;
} kinds[] = {
    {'b', 1, DTYPE_BOOL}, {'u', 1, DTYPE_U8},  {'i', 1, DTYPE_I8},  {'u', 2, DTYPE_U16},
    {'i', 2, DTYPE_I16},  {'u', 4, DTYPE_U32}, {'i', 4, DTYPE_I32}, {'u', 8, DTYPE_U64},
    {'i', 8, DTYPE_I64},  {'f', 2, DTYPE_F16}, {'f', 4, DTYPE_F32}, {'f', 8, DTYPE_F64},
};

#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- the header's dictionary, a small part of Python's syntax ---- */

struct text {
    const char *at, *end;
};

static void skip_space(struct text *text)
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n'))
        text->at++;
}

static bool take(struct text *text, char c)
{
    skip_space(text);
    if (text->at == text->end || *text->at != c)
        return false;
    text->at++;
    return true;
}

static bool take_word(struct text *text, const char *word)
{
    size_t length = strlen(word);
    skip_space(text);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    return true;
}

/* A quoted string without escapes, shorter than `room`. */
static bool take_string(struct text *text, char *to, size_t room)
{
    skip_space(text);
    if (text->at == text->end || (*text->at != '\'' && *text->at != '"'))
        return false;
    char quote = *text->at++;
    size_t n = 0;
    for (; text->at < text->end && *text->at != quote; text->at++) {
        if (n + 1 >= room || *text->at < ' ' || *text->at > '~' || *text->at == '\\')
            return false;
        to[n++] = *text->at;
    }
    to[n] = 0;
    return take(text, quote);
}

/* A length of the shape; Python 2 wrote an L after long ones. */
static bool take_size(struct text *text, size_t *size)
{
    skip_space(text);
    const char *begin = text->at;
    *size = 0;
    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++)
        if (!num_mul(*size, 10, size) || !num_add(*size, (size_t)(*text->at - '0'), size))
            return false;
    if (text->at == begin)
        return false;
    take_word(text, "L");
    return true;
}

static int parse_descr(struct text *text, struct header *header, struct err *err)
{
    char descr[16];
    if (!take_string(text, descr, sizeof descr))
        return err_set(err, STATUS_DATA, "its elements are not plain numbers");
    for (size_t i = 0; i < KINDS; i++) {
        char number[8];
        snprintf(number, sizeof number, "%c%zu", kinds[i].kind, kinds[i].size);
        bool known_order = strchr(kinds[i].size == 1 ? "|<>=" : "<>", descr[0]) != NULL;
        if (descr[0] && known_order && strcmp(descr + 1, number) == 0) {
            header->array.dtype = kinds[i].dtype;
            header->swap = descr[0] == '>' && kinds[i].size > 1;
            return 0;
        }
    }
    return err_set(err, STATUS_DATA, "elements of type '%s' are not supported", descr);
}

static int parse_order(struct text *text, struct header *header, struct err *err)
{
    header->fortran = take_word(text, "True");
    if (!header->fortran && !take_word(text, "False"))
        return err_set(err, STATUS_DATA, "fortran_order is neither True nor False");
    return 0;
}

static int parse_shape(struct text *text, struct header *header, struct err *err)
{
    struct array *array = &header->array;
    if (!take(text, '('))
        return err_set(err, STATUS_DATA, "its shape is not a tuple");
    bool comma = true;
    while (!take(text, ')')) {
        if (array->ndim == ARRAY_MAX_DIMS)
            return err_set(err, STATUS_DATA, "more than %d dimensions", ARRAY_MAX_DIMS);
        if (!comma || !take_size(text, &array->shape[array->ndim]))
            return err_set(err, STATUS_DATA, "its shape is malformed");
        array->ndim++;
        comma = take(text, ',');
    }
    if (array->ndim == 1 && !comma)
        return err_set(err, STATUS_DATA, "its shape is not a tuple");
    return 0;
}

static int parse_entry(struct text *text, struct header *header, unsigned *seen, struct err *err)
{
    static const struct {
        const char *key;
        int (*parse)(struct text *, struct header *, struct err *);
    } entries[] = {{"descr", parse_descr}, {"fortran_order", parse_order}, {"shape", parse_shape}};
    char key[16];
    if (!take_string(text, key, sizeof key) || !take(text, ':'))
        return err_set(err, STATUS_DATA, "its header is malformed");
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(key, entries[i].key) != 0)
            continue;
        if (*seen & 1u << i)
            return err_set(err, STATUS_DATA, "its header has '%s' twice", key);
        *seen |= 1u << i;
        return entries[i].parse(text, header, err);
    }
    return err_set(err, STATUS_DATA, "its header has an unknown key '%s'", key);
}

static int parse_dictionary(struct text text, struct header *header, struct err *err)
{
    unsigned seen = 0;
    bool comma = true;
    if (!take(&text, '{'))
        return err_set(err, STATUS_DATA, "its header is not a dictionary");
    while (!take(&text, '}')) {
        if (!comma)
            return err_set(err, STATUS_DATA, "its header is malformed");
        if (parse_entry(&text, header, &seen, err))
            return -1;
        comma = take(&text, ',');
    }
    skip_space(&text);
    if (text.at != text.end)
        return err_set(err, STATUS_DATA, "its header is malformed");
    if (seen != 7)
        return err_set(err, STATUS_DATA, "its header lacks descr, fortran_order or shape");
    return 0;
}

static int parse_header(struct header *header, const unsigned char *file, size_t size,
                        struct err *err)
{
    if (size < 10 || memcmp(file, MAGIC, 6) != 0)
        return err_set(err, STATUS_DATA, "not an .npy file");
    if (file[6] < 1 || file[6] > 3 || file[7] != 0)
        return err_set(err, STATUS_DATA, ".npy version %d.%d is not supported", file[6], file[7]);
    size_t begin = file[6] == 1 ? 10 : 12;
    size_t length = file[8] | (size_t)file[9] << 8;
    if (begin == 12 && size >= 12)
        length |= (size_t)file[10] << 16 | (size_t)file[11] << 24;
    if (length > NPY_MAX_HEADER)
        return err_set(err, STATUS_DATA, "its .npy header has more than %d bytes", NPY_MAX_HEADER);
    if (size < begin || size - begin < length)
        return err_set(err, STATUS_DATA, "its .npy header is cut");
    header->offset = begin + length;
    const char *text = (const char *)file + begin;
    return parse_dictionary((struct text){text, text + length}, header, err);
}

/* ---- elements ---- */

static void swap_bytes(unsigned char *data, size_t count, size_t size)
{
    for (; count; count--, data += size)
        for (size_t i = 0; i < size / 2; i++) {
            unsigned char byte = data[i];
            data[i] = data[size - 1 - i];
            data[size - 1 - i] = byte;
        }
}

/* Copies elements whose first index runs fastest into C order. */
static void from_fortran(struct array *to, const unsigned char *from)
{
    size_t size = dtype_size(to->dtype), count = array_count(to);
    size_t index[ARRAY_MAX_DIMS] = {0}, stride[ARRAY_MAX_DIMS], step = size;
    for (int i = 0; i < to->ndim; i++) {
        stride[i] = step;
        step *= to->shape[i];
    }
    unsigned char *data = to->data;
    for (; count; count--, data += size) {
        memcpy(data, from, size);
        for (int i = to->ndim - 1; i >= 0; i--) {
            from += stride[i];
            if (++index[i] < to->shape[i])
                break;
            from -= stride[i] * to->shape[i];
            index[i] = 0;
        }
    }
}

int npy_adopt(struct array *array, unsigned char *file, size_t size, struct err *err)
{
    struct header header = {0};
    size_t bytes;
    if (parse_header(&header, file, size, err) ||
        array_check_bytes(header.array.dtype, header.array.ndim, header.array.shape, &bytes, err))
        return -1;
    if (bytes != size - header.offset)
        return err_set(err, STATUS_DATA, "its shape needs %zu bytes, it has %zu", bytes,
                       size - header.offset);
    unsigned char *data = file + header.offset;
    size_t element = dtype_size(header.array.dtype);
    if (header.swap)
        swap_bytes(data, bytes / element, element);
    if (header.fortran && header.array.ndim > 1) {
        if (array_new(array, header.array.dtype, header.array.ndim, header.array.shape, err))
            return -1;
        from_fortran(array, data);
        free(file);
        return 0;
    }
    if ((uintptr_t)data % ALIGNMENT)
        data = memmove(file, data, bytes);
    *array = array_view(header.array.dtype, header.array.ndim, header.array.shape, data);
    array->memory = file;
    return 0;
}

/* ---- writing ---- */

static const char *descr_of(enum dtype dtype)
{
    static const char *const descr[] = {
        [DTYPE_BOOL] = "|b1", [DTYPE_U8] = "|u1",  [DTYPE_I8] = "|i1",  [DTYPE_U16] = "<u2",
        [DTYPE_I16] = "<i2",  [DTYPE_U32] = "<u4", [DTYPE_I32] = "<i4", [DTYPE_U64] = "<u8",
        [DTYPE_I64] = "<i8",  [DTYPE_F16] = "<f2", [DTYPE_BF16] = NULL, [DTYPE_F32] = "<f4",
        [DTYPE_F64] = "<f8",
    };
    return descr[dtype];
}

static size_t format_dictionary(char *to, size_t room, const struct array *array)
{
    const char *descr = descr_of(array->dtype);
    int n = snprintf(to, room, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                     descr ? descr : "");
    for (int i = 0; i < array->ndim; i++)
        n += snprintf(to + n, room - (size_t)n, i ? ", %zu" : "%zu", array->shape[i]);
    n += snprintf(to + n, room - (size_t)n, array->ndim == 1 ? ",), }" : "), }");
    return (size_t)n;
}

size_t npy_header_size(const struct array *array)
{
    char text[NPY_HEADER_ROOM];
    size_t length = 10 + format_dictionary(text, sizeof text, array) + 1;
    return (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int npy_write_header(unsigned char *header, const struct array *array, struct err *err)
{
    if (!descr_of(array->dtype))
        return err_set(err, STATUS_BUG, "an .npy file cannot hold %s", dtype_name(array->dtype));
    size_t size = npy_header_size(array);
    char text[NPY_HEADER_ROOM];
    size_t length = format_dictionary(text, sizeof text, array);
    memset(header, ' ', size);
    memcpy(header, MAGIC "\x01\x00", 8);
    header[8] = (unsigned char)((size - 10) & 255);
    header[9] = (unsigned char)((size - 10) >> 8);
    memcpy(header + 10, text, length);
    header[size - 1] = '\n';
    return 0;
}
