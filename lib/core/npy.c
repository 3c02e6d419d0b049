#include "core/npy.h"

#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/strided.h"

#define ALIGNMENT 64
#define MAGIC     "\x93NUMPY"

static const struct {
    const char *code;
    enum dtype dtype;
} types[] = {
    {"b1", DTYPE_BOOL}, {"u1", DTYPE_U8},  {"i1", DTYPE_I8},  {"u2", DTYPE_U16},
    {"i2", DTYPE_I16},  {"u4", DTYPE_U32}, {"i4", DTYPE_I32}, {"u8", DTYPE_U64},
    {"i8", DTYPE_I64},  {"f2", DTYPE_F16}, {"f4", DTYPE_F32}, {"f8", DTYPE_F64},
};

#define TYPES (sizeof types / sizeof *types)

/* ---- the header's dictionary, a small part of Python's syntax ---- */

struct text {
    const char *at, *end;
};

static void skip_space(struct text *text)
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n'))
        text->at++;
}

static bool take(struct text *text, const char *word)
{
    size_t length = strlen(word);
    skip_space(text);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    return true;
}

/* A quoted string of printable ASCII without escapes, shorter than `room`. */
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
    return text->at < text->end && *text->at++ == quote;
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
    if (text->at < text->end && *text->at == 'L')
        text->at++;
    return true;
}

int npy_parse_type(struct npy_header *header, const char *descr, struct err *err)
{
    header->object = strcmp(descr, "|O") == 0;
    if (header->object)
        return 0;
    for (size_t i = 0; descr[0] && i < TYPES; i++) {
        bool known_order =
            strchr(dtype_size(types[i].dtype) == 1 ? "|<>=" : "<>", descr[0]) != NULL;
        if (known_order && strcmp(descr + 1, types[i].code) == 0) {
            header->dtype = types[i].dtype;
            header->swapped = descr[0] == '>' && dtype_size(types[i].dtype) > 1;
            return 0;
        }
    }
    return err_set(err, STATUS_DATA, "elements of type '%s' are not supported", descr);
}

static int parse_descr(struct text *text, struct npy_header *header, struct err *err)
{
    char descr[16];
    if (!take_string(text, descr, sizeof descr))
        return err_set(err, STATUS_DATA, "its elements are not plain numbers");
    return npy_parse_type(header, descr, err);
}

static int parse_order(struct text *text, struct npy_header *header, struct err *err)
{
    header->fortran = take(text, "True");
    if (!header->fortran && !take(text, "False"))
        return err_set(err, STATUS_DATA, "fortran_order is neither True nor False");
    return 0;
}

static int parse_shape(struct text *text, struct npy_header *header, struct err *err)
{
    if (!take(text, "("))
        return err_set(err, STATUS_DATA, "its shape is not a tuple");
    bool comma = true;
    while (!take(text, ")")) {
        if (header->ndim == ARRAY_MAX_DIMS)
            return err_set(err, STATUS_DATA, "more than %d dimensions", ARRAY_MAX_DIMS);
        if (!comma || !take_size(text, &header->shape[header->ndim]))
            return err_set(err, STATUS_DATA, "its shape is malformed");
        header->ndim++;
        comma = take(text, ",");
    }
    if (header->ndim == 1 && !comma)
        return err_set(err, STATUS_DATA, "its shape is not a tuple");
    return 0;
}

static const struct {
    const char *key;
    int (*parse)(struct text *, struct npy_header *, struct err *);
} entries[] = {{"descr", parse_descr}, {"fortran_order", parse_order}, {"shape", parse_shape}};

#define ENTRIES  (sizeof entries / sizeof *entries)
#define ALL_SEEN ((1u << ENTRIES) - 1)

static int parse_entry(struct text *text, struct npy_header *header, unsigned *seen,
                       struct err *err)
{
    char key[16];
    if (!take_string(text, key, sizeof key) || !take(text, ":"))
        return err_set(err, STATUS_DATA, "its header is malformed");
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (strcmp(key, entries[i].key) != 0)
            continue;
        if (*seen & 1u << i)
            return err_set(err, STATUS_DATA, "its header has '%s' twice", key);
        *seen |= 1u << i;
        return entries[i].parse(text, header, err);
    }
    return err_set(err, STATUS_DATA, "its header has an unknown key '%s'", key);
}

static int parse_dictionary(struct text text, struct npy_header *header, struct err *err)
{
    unsigned seen = 0;
    bool comma = true;
    if (!take(&text, "{"))
        return err_set(err, STATUS_DATA, "its header is not a dictionary");
    while (!take(&text, "}")) {
        if (!comma)
            return err_set(err, STATUS_DATA, "its header is malformed");
        if (parse_entry(&text, header, &seen, err))
            return -1;
        comma = take(&text, ",");
    }
    skip_space(&text);
    if (text.at != text.end)
        return err_set(err, STATUS_DATA, "its header is malformed");
    if (seen != ALL_SEEN)
        return err_set(err, STATUS_DATA, "its header lacks descr, fortran_order or shape");
    return 0;
}

/* ---- reading ---- */

/* Where the dictionary is. */
static int find_dictionary(struct text *text, const unsigned char *file, size_t size,
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
    text->at = (const char *)file + begin;
    text->end = text->at + length;
    return 0;
}

int npy_read_header(struct npy_header *header, const unsigned char *file, size_t size,
                    struct err *err)
{
    struct text text;
    size_t expected;
    *header = (struct npy_header){0};
    if (find_dictionary(&text, file, size, err) || parse_dictionary(text, header, err))
        return -1;
    header->size = (size_t)(text.end - (const char *)file);
    if (header->object)
        return 0;
    if (array_check_bytes(header->dtype, header->ndim, header->shape, &expected, err))
        return -1;
    if (expected != size - header->size)
        return err_set(err, STATUS_DATA, "its shape needs %zu bytes, it has %zu", expected,
                       size - header->size);
    return 0;
}

int npy_copy(struct array *array, const struct npy_header *header, const void *data,
             struct err *err)
{
    size_t stride[ARRAY_MAX_DIMS], step = 1;
    for (int i = 0; i < header->ndim; i++) {
        int axis = header->fortran ? i : header->ndim - 1 - i;
        stride[axis] = step;
        step *= header->shape[axis];
    }
    if (array_new(array, header->dtype, header->ndim, header->shape, err))
        return -1;
    strided_copy(array, data, stride);
    if (header->swapped)
        array_swap_bytes(array);
    return 0;
}

/* ---- writing ---- */

/* NULL for bfloat16. */
static const char *code_of(enum dtype dtype)
{
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].dtype == dtype)
            return types[i].code;
    return NULL;
}

static size_t format_dictionary(char *to, size_t room, const struct array *array)
{
    const char *code = code_of(array->dtype);
    int n = snprintf(to, room, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                     dtype_size(array->dtype) == 1 ? '|' : '<', code ? code : "");
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
    if (!code_of(array->dtype))
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
