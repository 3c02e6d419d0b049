/* lib/core/npy: what is written is read again, and a header that says anything
 * but three plain things is refused with its reason. */
#include <stdlib.h>

#include "core/npy.h"
#include "tests/tap.h"

static struct err err;
static unsigned char file[70000];

#define HEADER(descr, order, shape)                                                                \
    "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }"

/* A file of that version, dictionary and number of bytes after it; its size. */
static size_t make(int version, const char *dictionary, size_t bytes)
{
    size_t length = strlen(dictionary), begin = version == 1 ? 10 : 12;
    memset(file, 0, begin);
    memcpy(file, "\x93NUMPY", 6);
    file[6] = (unsigned char)version;
    file[8] = (unsigned char)(length & 255);
    file[9] = (unsigned char)(length >> 8);
    memcpy(file + begin, dictionary, length);
    for (size_t i = 0; i < bytes; i++)
        file[begin + length + i] = (unsigned char)i;
    return begin + length + bytes;
}

static void test_round_trip(void)
{
    static const size_t shape[] = {3, 1, 1234567890123, 4, 5, 6, 7, 0};
    for (int i = 0; i <= DTYPE_F64; i++)
        for (int ndim = 0; ndim <= ARRAY_MAX_DIMS; ndim += ARRAY_MAX_DIMS / 2) {
            enum dtype dtype = (enum dtype)i;
            struct array array = array_view(dtype, ndim, ndim == 4 ? shape + 4 : shape, NULL);
            struct npy_header header;
            if (dtype == DTYPE_BF16) {
                ok(npy_write_header(file, &array, &err) == -1, "NumPy has no bfloat16");
                continue;
            }
            size_t size = npy_header_size(&array);
            ok(npy_write_header(file, &array, &err) == 0 && size % 64 == 0 &&
                   size <= NPY_HEADER_ROOM &&
                   npy_read_header(&header, file, size + array_bytes(&array), &err) == 0 &&
                   header.dtype == dtype && header.ndim == ndim && header.size == size &&
                   !header.object && !header.swapped && !header.fortran &&
                   memcmp(header.shape, array.shape, (size_t)ndim * sizeof *shape) == 0,
               "%s of %d dimensions and back", dtype_name(dtype), ndim);
        }
}

static void test_variants(void)
{
    static const char *const same[] = {
        HEADER("<u2", "False", "(2, 3)"),
        "{\"shape\":(2,3,),\n\"descr\":\"<u2\",\"fortran_order\":False}  \n",
        HEADER("<u2", "False", "( 2L, 3L )"),
    };
    struct npy_header header;
    for (int version = 1; version <= 3; version++)
        for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
            size_t size = make(version, same[i], 12);
            ok(npy_read_header(&header, file, size, &err) == 0 && header.dtype == DTYPE_U16 &&
                   header.ndim == 2 && header.shape[0] == 2 && header.shape[1] == 3 &&
                   header.size == size - 12,
               "version %d.0, way of writing %zu", version, i);
        }
    is_int(npy_read_header(&header, file, make(1, HEADER("|O", "False", "()"), 77), &err), 0,
           "a pickle has any size");
    ok(header.object, "and is told from numbers");
}

static bool copies_as(const char *dictionary, const uint16_t expected[6])
{
    struct npy_header header;
    struct array array;
    if (npy_read_header(&header, file, make(1, dictionary, 12), &err) ||
        npy_copy(&array, &header, file + header.size, &err))
        return false;
    bool same = array.ndim == 2 && memcmp(array.data, expected, 12) == 0;
    array_free(&array);
    return same;
}

static void test_orders(void)
{
    static const uint16_t little[] = {0x100, 0x302, 0x504, 0x706, 0x908, 0xb0a},
                          big[] = {0x001, 0x203, 0x405, 0x607, 0x809, 0xa0b},
                          turned[] = {0x100, 0x504, 0x908, 0x302, 0x706, 0xb0a};
    ok(copies_as(HEADER("<u2", "False", "(2, 3)"), little), "little-endian, C order");
    ok(copies_as(HEADER(">u2", "False", "(2, 3)"), big), "big-endian");
    ok(copies_as(HEADER("<u2", "True", "(2, 3)"), turned), "Fortran order");
}

static void refuses(size_t size, const char *reason)
{
    struct npy_header header;
    int result = npy_read_header(&header, file, size, &err);
    if (!ok(result == -1 && err.status == STATUS_DATA && strcmp(err.message, reason) == 0,
            "refused: %s", reason))
        printf("# %d '%s'\n", result, result ? err.message : "");
}

static void test_dictionaries(void)
{
    static const struct {
        const char *dictionary, *reason;
    } cases[] = {
        {"[]", "its header is not a dictionary"},
        {"{'descr': '<u2' 'shape': (2,), }", "its header is malformed"},
        {HEADER("<u2", "False", "(2,)") "#", "its header is malformed"},
        {"{'sh\\ape': (2,), }", "its header is malformed"},
        {"{'sh\xc3\xa4pe': (2,), }", "its header is malformed"},
        {"{'descr': '<u2', 'shape': (2,), }", "its header lacks descr, fortran_order or shape"},
        {"{'shape': (2,), 'shape': (2,), }", "its header has 'shape' twice"},
        {"{'scale': 2, }", "its header has an unknown key 'scale'"},
        {"{'descr': [('x', '<u2')], }", "its elements are not plain numbers"},
        {"{'descr': '<\x01', }", "its elements are not plain numbers"},
        {HEADER("", "False", "(2,)"), "elements of type '' are not supported"},
        {HEADER("=u2", "False", "(2,)"), "elements of type '=u2' are not supported"},
        {HEADER("<c8", "False", "(2,)"), "elements of type '<c8' are not supported"},
        {HEADER("|O8", "False", "(2,)"), "elements of type '|O8' are not supported"},
        {HEADER("<u2", "0", "(2,)"), "fortran_order is neither True nor False"},
        {HEADER("<u2", "False", "[2,]"), "its shape is not a tuple"},
        {HEADER("<u2", "False", "(2)"), "its shape is not a tuple"},
        {HEADER("<u2", "False", "(,)"), "its shape is malformed"},
        {HEADER("<u2", "False", "(2 3)"), "its shape is malformed"},
        {HEADER("<u2", "False", "(-2,)"), "its shape is malformed"},
        {HEADER("<u2", "False", "(18446744073709551616,)"), "its shape is malformed"},
        {HEADER("<u2", "False", "(1,1,1,1,1,1,1,1,1)"), "more than 8 dimensions"},
        {HEADER("<u2", "False", "(4294967296, 4294967296)"),
         "an array of that shape has too many bytes"},
        {HEADER("<u2", "False", "(3,)"), "its shape needs 6 bytes, it has 4"},
        {HEADER("<u2", "False", "(1,)"), "its shape needs 2 bytes, it has 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuses(make(1, cases[i].dictionary, 4), cases[i].reason);
}

static void test_files(void)
{
    static const char good[] = HEADER("|u1", "False", "(4,)");
    static char spaces[NPY_MAX_HEADER + 1];
    memset(spaces, ' ', sizeof spaces - 1);
    memcpy(spaces, good, sizeof good - 1);
    struct npy_header header;
    ok(npy_read_header(&header, file, make(1, spaces, 4), &err) == 0, "the longest header");
    file[8]++;
    refuses(10 + NPY_MAX_HEADER + 4, "its .npy header has more than 10000 bytes");
    size_t size = make(2, good, 4);
    file[11] = 0xff;
    refuses(size, "its .npy header has more than 10000 bytes");
    size = make(1, good, 4);
    for (size_t cut = 0; cut < 10; cut++)
        refuses(cut, "not an .npy file");
    refuses(size - 5, "its .npy header is cut");
    file[6] = 4;
    refuses(size, ".npy version 4.0 is not supported");
    file[0] = 'P';
    refuses(size, "not an .npy file");
}

int main(void)
{
    tap_plan(94);
    test_round_trip();
    test_variants();
    test_orders();
    test_dictionaries();
    test_files();
    return tap_done();
}
