#include "weights/npy.h"

#include <string.h>

#include "core/num.h"
#include "weights/bytes.h"
#include "weights/parts.h"

#define MAX_HEADER 10000

/* The header's text: a Python dictionary of three entries. */
struct scanner {
    const char *at, *end;
};

static void skip_spaces(struct scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n'))
        s->at++;
}

static bool accept(struct scanner *s, const char *text)
{
    size_t length = strlen(text);
    skip_spaces(s);
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, text, length) != 0)
        return false;
    s->at += length;
    return true;
}

/* A text in quotes, without escapes, that fits; false when there is none. */
static bool scan_text(struct scanner *s, char *out, size_t size)
{
    skip_spaces(s);
    if (s->at == s->end || (*s->at != '\'' && *s->at != '"'))
        return false;
    char quote = *s->at++;
    size_t length = 0;
    while (s->at < s->end && *s->at != quote && *s->at != '\\' && length + 1 < size)
        out[length++] = *s->at++;
    out[length] = 0;
    return s->at < s->end && *s->at++ == quote;
}

static bool scan_size(struct scanner *s, size_t *out)
{
    skip_spaces(s);
    size_t value = 0;
    const char *begin = s->at;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
        if (!num_mul(value, 10, &value) || !num_add(value, (size_t)(*s->at - '0'), &value))
            return false;
    *out = value;
    return s->at > begin;
}

/* "()", "(3,)", "(3, 4)" */
static bool scan_shape(struct scanner *s, struct npy *npy)
{
    if (!accept(s, "("))
        return false;
    for (npy->ndim = 0; !accept(s, ")"); npy->ndim++) {
        if (npy->ndim == ARRAY_MAX_DIMS || !scan_size(s, &npy->shape[npy->ndim]))
            return false;
        bool comma = accept(s, ",");
        if (!comma && (npy->ndim == 0 || !accept(s, ")")))
            return false;
        if (!comma)
            return npy->ndim++, true;
    }
    return true;
}

int npy_parse_type(const char *descr, struct npy *npy, struct err *err)
{
    static const struct {
        const char *code;
        enum dtype dtype;
    } codes[] = {{"f4", DTYPE_F32}, {"f2", DTYPE_F16}, {"f8", DTYPE_F64}, {"b1", DTYPE_BOOL},
                 {"u1", DTYPE_U8},  {"i1", DTYPE_I8},  {"u2", DTYPE_U16}, {"i2", DTYPE_I16},
                 {"u4", DTYPE_U32}, {"i4", DTYPE_I32}, {"u8", DTYPE_U64}, {"i8", DTYPE_I64}};
    npy->swapped = descr[0] == '>';
    npy->object = strcmp(descr, "|O") == 0;
    if (npy->object)
        return 0;
    for (size_t i = 0; descr[0] && strchr("<>|=", descr[0]) && i < sizeof codes / sizeof *codes;
         i++)
        if (strcmp(descr + 1, codes[i].code) == 0) {
            npy->dtype = codes[i].dtype;
            return 0;
        }
    return err_set(err, STATUS_DATA, "element type '%s' is not supported", descr);
}

static int scan_entry(struct scanner *s, struct npy *npy, bool seen[3], struct err *err)
{
    char key[16], descr[16];
    int which = -1;
    if (scan_text(s, key, sizeof key) && accept(s, ":")) {
        if (strcmp(key, "descr") == 0 && scan_text(s, descr, sizeof descr))
            which = 0;
        else if (strcmp(key, "shape") == 0 && scan_shape(s, npy))
            which = 1;
        else if (strcmp(key, "fortran_order") == 0 &&
                 ((npy->fortran = accept(s, "True")) || accept(s, "False")))
            which = 2;
    }
    if (which < 0 || seen[which])
        return err_set(err, STATUS_DATA, "malformed .npy header");
    seen[which] = true;
    return which == 0 ? npy_parse_type(descr, npy, err) : 0;
}

static int scan_header(struct scanner *s, struct npy *npy, struct err *err)
{
    bool seen[3] = {false};
    if (!accept(s, "{"))
        return err_set(err, STATUS_DATA, "malformed .npy header");
    for (int i = 0; i < 3; i++) {
        if (scan_entry(s, npy, seen, err))
            return -1;
        if (!accept(s, ",") && i < 2)
            return err_set(err, STATUS_DATA, "malformed .npy header");
    }
    if (!accept(s, "}") || (skip_spaces(s), s->at != s->end))
        return err_set(err, STATUS_DATA, "malformed .npy header");
    return 0;
}

int npy_parse(const unsigned char *bytes, size_t size, struct npy *npy, struct err *err)
{
    *npy = (struct npy){0};
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3 ||
        bytes[7] != 0)
        return err_set(err, STATUS_DATA, "not a .npy file of version 1.0 to 3.0");
    int length_size = bytes[6] == 1 ? 2 : 4;
    size_t begin = 8 + (size_t)length_size, length = bytes_le(bytes + 8, length_size), expected;
    if (length > MAX_HEADER || length > size - begin)
        return err_set(err, STATUS_DATA, "malformed .npy header");
    struct scanner scanner = {(const char *)bytes + begin, (const char *)bytes + begin + length};
    npy->data = begin + length;
    if (scan_header(&scanner, npy, err))
        return -1;
    if (npy->object)
        return 0;
    if (array_check_bytes(npy->dtype, npy->ndim, npy->shape, &expected, err))
        return -1;
    if (expected != size - npy->data)
        return err_set(err, STATUS_DATA, "its shape needs %zu bytes, the file has %zu", expected,
                       size - npy->data);
    return 0;
}

static void swap_bytes(struct array *array)
{
    size_t size = dtype_size(array->dtype), count = array_count(array);
    unsigned char *at = array->data;
    for (size_t i = 0; i < count; i++, at += size)
        for (size_t j = 0; j < size / 2; j++) {
            unsigned char byte = at[j];
            at[j] = at[size - 1 - j];
            at[size - 1 - j] = byte;
        }
}

int npy_copy(struct array *array, const struct npy *npy, const void *data, struct err *err)
{
    size_t stride[ARRAY_MAX_DIMS], step = 1;
    for (int i = 0; i < npy->ndim; i++) {
        int axis = npy->fortran ? i : npy->ndim - 1 - i;
        stride[axis] = step;
        step *= npy->shape[axis];
    }
    if (array_new(array, npy->dtype, npy->ndim, npy->shape, err))
        return -1;
    strided_copy(array, data, stride);
    if (npy->swapped)
        swap_bytes(array);
    return 0;
}
