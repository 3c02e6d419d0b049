/* Dictionaries of numbers and arrays in .npy files, as Cellpose's size models are. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/files.h"
#include "tests/refused.h"

static char path[] = "/tmp/npy-object-XXXXXX";
static struct err err;

static char file[4096];
static size_t length;

static void put(const void *bytes, size_t size)
{
    memcpy(file + length, bytes, size);
    length += size;
}
#define PUT(literal) put("" literal, sizeof(literal) - 1)

static void begin(void)
{
    static const char header[] = "{'descr': '|O', 'fortran_order': False, 'shape': (), }";
    length = 0;
    PUT("\x93NUMPY\x01\x00\x76\x00");
    put(header, sizeof header - 1);
    memset(file + length, ' ', 127 - length);
    file[127] = '\n';
    length = 128;
}

#define DTYPE(code) "cnumpy\ndtype\nX\2\0\0\0" code "K\0K\1\x87R(K\3X\1\0\0\0"
#define UNKNOWN     "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
#define ARRAY       "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"
#define OBJECTS     ARRAY "C\1b\x87R(K\1)" DTYPE("O8") "|" UNKNOWN "\x89]("
#define A_OF(shape) "X\1\0\0\0A" ARRAY "C\1b\x87R(K\1" shape DTYPE("f8") "<" UNKNOWN "\x89"
#define HALVES      "\0\0\0\0\0\0\xe0\x3f\0\0\0\0\0\0\0\xc0"
#define TWO_DOUBLES "C\x10" HALVES "tb"
#define FOUR                                                                                       \
    "X\4\0\0\0mean"                                                                                \
    "G\x40\x3e\0\0\0\0\0\0"
#define QUARTER                                                                                    \
    "X\1\0\0\0ycnumpy.core.multiarray\nscalar\n" DTYPE("f4") ">" UNKNOWN "C\4\x3e\x80\0\0\x86R"

static void whole(void)
{
    begin();
    PUT("\x80\3" OBJECTS "}(" A_OF("K\2\x85") TWO_DOUBLES FOUR QUARTER "X\1\0\0\0nK\7uetb.");
}

static double number(const struct weights *w, const char *name, size_t i)
{
    const struct array *a = weights_find(w, name);
    if (!a)
        return NAN;
    return a->dtype == DTYPE_F64 ? ((const double *)a->data)[i] : ((const float *)a->data)[i];
}

static void test_values(void)
{
    struct weights w;
    whole();
    put_file(path, file, length);
    if (!ok(weights_read(&w, path, &err) == 0, "a dictionary is read")) {
        printf("# %s\n", err.message);
        return;
    }
    is_int((int)w.count, 4, "four items");
    ok(strcmp(w.format, "npy") == 0, "the format's name");
    const struct array *a = weights_find(&w, "A");
    ok(a && a->ndim == 1 && a->shape[0] == 2 && a->dtype == DTYPE_F64, "an array of two");
    is_near(number(&w, "A", 0), 0.5, 0, "its first");
    is_near(number(&w, "A", 1), -2, 0, "its second");
    is_near(number(&w, "mean", 0), 30, 0, "a float");
    is_near(number(&w, "y", 0), 0.25, 0, "a big-endian scalar");
    is_near(number(&w, "n", 0), 7, 0, "an integer");
    weights_free(&w);
}

/* Protocol 2 writes bytes as text in Latin-1, which is UTF-8 in the file. */
static void test_latin1(void)
{
    struct weights w;
    begin();
    PUT("\x80\2" OBJECTS "}(" A_OF(
        "K\2\x85") "c_codecs\nencode\nX\x12\0\0\0"
                   "\0\0\0\0\0\0\xc3\xa0\x3f\0\0\0\0\0\0\0\xc3\x80X\6\0\0\0latin1\x86Rtbuetb.");
    put_file(path, file, length);
    ok(weights_read(&w, path, &err) == 0, "bytes as text are read");
    is_near(number(&w, "A", 0), 0.5, 0, "as they were");
    is_near(number(&w, "A", 1), -2, 0, "all of them");
    weights_free(&w);
}

static void refuses(const char *reason)
{
    put_file(path, file, length);
    is_refused(path, reason, reason);
}

static void test_refusals(void)
{
    begin();
    PUT("\x80\3" OBJECTS "}(" A_OF("K\3\x85") TWO_DOUBLES "uetb.");
    refuses("its shape needs 24 bytes, there are 16");
    begin();
    PUT("\x80\3" OBJECTS "}(" A_OF("J\xff\xff\xff\xff\x85") TWO_DOUBLES "uetb.");
    refuses("its shape is none");
    begin();
    PUT("\x80\3" OBJECTS "}(X\1\0\0\0A" ARRAY "C\1b\x87Ruetb.");
    refuses("its element type is not known");
    begin();
    PUT("\x80\3" OBJECTS "}(X\1\0\0\0A]uetb.");
    refuses("neither a number nor an array");
    begin();
    PUT("\x80\3" OBJECTS "K\1etb.");
    refuses("no dictionary");
    begin();
    PUT("\x80\3" OBJECTS "cposix\nsystem\nX\4\0\0\0true\x85Retb.");
    refuses("'posix.system', which is not allowed");
    whole();
    PUT("..");
    refuses("2 bytes are left over");
    length = 0;
    PUT("\x93NUMPY\x01\x00\x37\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"
        "\0\0\0\0");
    refuses("an array without a name");
}

/* No cut is taken for a file, and no byte that is changed does harm. */
static void test_hostile(void)
{
    struct weights w;
    bool refused = true;
    int read = 0;
    whole();
    for (size_t size = 0; size < length; size++) {
        put_file(path, file, size);
        if (weights_read(&w, path, &err) == 0) {
            weights_free(&w);
            refused = false;
        }
    }
    ok(refused, "every cut is refused");
    for (size_t i = 0; i < length; i++)
        for (int bit = 0; bit < 8; bit += 3) {
            file[i] = (char)(file[i] ^ 1 << bit);
            put_file(path, file, length);
            if (weights_read(&w, path, &err) == 0) {
                read++;
                weights_free(&w);
            }
            file[i] = (char)(file[i] ^ 1 << bit);
        }
    ok(read > 0, "changed bits are refused or read: %d were", read);
}

int main(void)
{
    tap_plan(22);
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    test_values();
    test_latin1();
    test_refusals();
    test_hostile();
    unlink(path);
    return tap_done();
}
