/* lib/core: numbers, arrays, names, files. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/array.h"
#include "core/convert.h"
#include "core/crc32c.h"
#include "core/destination.h"
#include "core/digest.h"
#include "core/growing.h"
#include "core/guard.h"
#include "core/half.h"
#include "core/io.h"
#include "core/names.h"
#include "core/num.h"
#include "core/outfile.h"
#include "core/rng.h"
#include "core/spill.h"
#include "core/tsv.h"
#include "tests/files.h"
#include "tests/tap.h"

static void test_numbers(void)
{
    struct err err;
    int64_t i = 0;
    double x = 0;
    ok(num_int("42", 0, 100, &i, &err) == 0 && i == 42, "a whole number");
    ok(num_int("-7", -10, 0, &i, &err) == 0 && i == -7, "a negative number");
    ok(num_int("101", 0, 100, &i, &err) == -1, "a number out of range");
    is_str(err.message, "'101' is not between 0 and 100", "and its message");
    static const char *const wrong[] = {"", " 1", "1 ", "1x", "0x10", "nan", "9999999999999999999"};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
        ok(num_int(wrong[k], INT64_MIN, INT64_MAX, &i, &err) == -1, "not a whole number: '%s'",
           wrong[k]);
    ok(num_real("0.25", 0, 1, &x, &err) == 0 && x == 0.25, "a real number");
    ok(num_real("inf", 0, 1e300, &x, &err) == -1, "infinity is not a number here");
    ok(num_real("1e999", 0, 1e300, &x, &err) == -1, "nor what overflows to it");
}

/* The values of RFC 3720, appendix B.4, and of the check of every catalog of sums. */
static void test_crc32c(void)
{
    unsigned char bytes[10000];
    memset(bytes, 0, 32);
    ok(crc32c(0, bytes, 32) == 0x8a9136aa, "the sum of 32 zeros");
    memset(bytes, 255, 32);
    ok(crc32c(0, bytes, 32) == 0x62a8ab43, "of 32 bytes of ones");
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    ok(crc32c(0, bytes, 32) == 0x46dd794e, "of 0 to 31");
    ok(crc32c(0, "123456789", 9) == 0xe3069283, "of nine digits");
    ok(crc32c(0, "", 0) == 0, "of nothing");
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 251);
    size_t same = 0, parts = 0, count = 0;
    for (size_t size = 0; size < sizeof bytes - 8; size += 61, count++) {
        const unsigned char *from = bytes + size % 8;
        uint32_t sum = crc32c(1, from, size);
        same += sum == crc32c_portable(1, from, size);
        parts += sum == crc32c(crc32c(1, from, size / 3), from + size / 3, size - size / 3);
    }
    is_int((long long)same, (long long)count, "with and without the instruction");
    is_int((long long)parts, (long long)count, "in parts");
}

static void test_identity(void)
{
    struct err err;
    static char bytes[2000000];
    char path[] = "/tmp/identity-XXXXXX", first[DIGEST_IDENTITY], other[DIGEST_IDENTITY];
    int fd = mkstemp(path);
    ok(fd >= 0 && write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes, "a large file");
    ok(digest_identity(path, first, &err) == 0 && strlen(first) == 16, "has an identity");
    ok(pwrite(fd, "x", 1, sizeof bytes - 1) == 1 && digest_identity(path, other, &err) == 0 &&
           strcmp(first, other) != 0,
       "another one when its end is another");
    ok(pwrite(fd, "", 1, sizeof bytes - 1) == 1 && digest_identity(path, other, &err) == 0,
       "as it was");
    is_str(other, first, "the same");
    ok(ftruncate(fd, sizeof bytes - 4096) == 0 && digest_identity(path, other, &err) == 0 &&
           strcmp(first, other) != 0,
       "another one for another size");
    ok(ftruncate(fd, 3) == 0 && digest_identity(path, first, &err) == 0 &&
           pwrite(fd, "x", 1, 1) == 1 && digest_identity(path, other, &err) == 0 &&
           strcmp(first, other) != 0,
       "and for a small file that changes");
    ok(digest_identity("/dev/null", other, &err) == 0 && !*other, "a device has none");
    ok(digest_identity("/nowhere/x", other, &err) == -1 && err.status == STATUS_NO_INPUT,
       "nor has what is not there");
    close(fd);
    unlink(path);
}

static void test_arrays(void)
{
    struct err err;
    struct array a, b;
    ok(array_new(&a, DTYPE_F32, 3, (size_t[]){2, 3, 4}, &err) == 0, "a new array");
    is_int((long long)array_bytes(&a), 96, "has its bytes");
    is_int((long long)((uintptr_t)a.data % 64), 0, "is aligned");
    ((float *)a.data)[23] = 5;
    ok(array_copy(&b, &a, &err) == 0 && ((float *)b.data)[23] == 5, "a copy");
    array_free(&a);
    array_free(&b);
    ok(a.data == NULL, "freed and cleared");
    size_t huge[] = {SIZE_MAX / 4, 8}, bytes;
    ok(array_check_bytes(DTYPE_U16, 2, huge, &bytes, &err) == -1, "a shape that overflows");
    ok(array_check_bytes(DTYPE_U16, 9, huge, &bytes, &err) == -1, "too many dimensions");
    size_t empty[] = {1000, 0};
    ok(array_check_bytes(DTYPE_U16, 2, empty, &bytes, &err) == 0 && bytes == 0, "an empty array");
}

static void test_halves(void)
{
    int wrong = 0;
    for (unsigned h = 0; h < 0x10000; h++) {
        float f = half_to_float((uint16_t)h);
        wrong += isnan(f) ? (half_from_float(f) & 0x7fff) <= 0x7c00 : half_from_float(f) != h;
    }
    is_int(wrong, 0, "every half survives the way to float and back");
    is_int(half_from_float(65519.0f), 0x7bff, "the largest half");
    is_int(half_from_float(65520.0f), 0x7c00, "what rounds to infinity");
    is_int(half_from_float(1.0f + 0x1p-11f), 0x3c00, "a tie goes to even");
    is_int(half_from_float(1.0f + 0x1p-11f + 0x1p-20f), 0x3c01, "more than a tie goes up");
    is_int(half_from_float(0x1p-25f), 0, "a tie below the least subnormal");
    is_int(half_from_float(0x1.8p-25f), 1, "and more than it");
    is_int(bfloat_from_float(1.0f), 0x3f80, "one in bfloat16");
    ok(isnan(bfloat_to_float(bfloat_from_float(NAN))), "a NaN in bfloat16");
    uint16_t many[37];
    float back[37], from[37];
    for (int i = 0; i < 37; i++)
        from[i] = (float)(i - 18) * 0.37f;
    half_from_floats(many, from, 37);
    half_to_floats(back, many, 37);
    wrong = 0;
    for (int i = 0; i < 37; i++)
        wrong += many[i] != half_from_float(from[i]) || back[i] != half_to_float(many[i]);
    is_int(wrong, 0, "the loops agree with the single values");
}

static void test_random_numbers(void)
{
    struct rng a = rng_new(1, "x"), b = rng_new(1, "x"), c = rng_new(1, "y");
    uint64_t first = rng_u64(&a);
    ok(first == rng_u64(&b), "the same seed and key, the same numbers");
    ok(first != rng_u64(&c), "another key, other numbers");
    double sum = 0, squares = 0;
    int counts[3] = {0};
    for (int i = 0; i < 100000; i++) {
        double x = rng_normal(&a);
        sum += x;
        squares += x * x;
        counts[rng_below(&a, 3)]++;
    }
    is_near(sum / 1e5, 0, 0.02, "normal numbers have mean 0");
    is_near(squares / 1e5, 1, 0.02, "and variance 1");
    is_near(counts[2] / 1e5, 1.0 / 3, 0.01, "rng_below is uniform");
}

static void test_output_files(void)
{
    struct err err;
    struct outfile *out;
    char folder[] = "/tmp/outfile-XXXXXX", path[64];
    if (!mkdtemp(folder))
        return;
    snprintf(path, sizeof path, "%s/out", folder);
    ok(outfile_open(&out, path, &err) == 0, "an output file");
    ok(access(path, F_OK) != 0, "is not there before it is complete");
    ok(outfile_write(out, "abc", 3, &err) == 0 && outfile_commit(out, &err) == 0, "is committed");
    ok(access(path, R_OK) == 0, "and is there");
    ok(guard_rewrites(path, &err) == 0 && outfile_open(&out, path, &err) == 0 &&
           outfile_write(out, "x", 1, &err) == 0,
       "once more");
    outfile_abort(out);
    char text[8] = "";
    is_int((long long)get_file(path, text, sizeof text), 3, "an abort leaves the old file");
    unlink(path);
    ok(rmdir(folder) == 0, "and nothing else");
    ok(outfile_open(&out, "/nonexistent/x", &err) == -1 && err.status == STATUS_CREATE,
       "a folder that is not there");
    ok(outfile_open(&out, "/dev/full", &err) == 0, "a full device opens");
    ok(outfile_write(out, "x", 1, &err) == -1 && err.status == STATUS_IO, "and a write fails");
    outfile_abort(out);
}

static void test_printing(void)
{
    static const double some[] = {0,
                                  1,
                                  -1,
                                  0.5,
                                  123456789,
                                  99999999.4,
                                  99999999.6,
                                  1e-4,
                                  0.00012345678,
                                  9.9999999e-5,
                                  1e300,
                                  12345678,
                                  0.1 + 0.2,
                                  113.878125,
                                  2.5,
                                  -0.001,
                                  1234.5678949,
                                  1e7};
    struct rng rng = rng_new(3, "print");
    int wrong = 0;
    for (size_t i = 0; i < 200000; i++) {
        char got[NUM_PRINT_SIZE], expected[NUM_PRINT_SIZE];
        size_t count = sizeof some / sizeof *some;
        double value =
            i < count ? some[i] : (rng_uniform(&rng) - 0.5) * pow(10, (double)(i % 14) - 4);
        value = i % 3 == 2 ? round(value * 8) / 8 : value;
        size_t length = num_print(got, value);
        snprintf(expected, sizeof expected, "%.8g", value);
        wrong += strcmp(got, expected) != 0 || length != strlen(got);
    }
    is_int(wrong, 0, "numbers are printed as printf does");
    char text[NUM_PRINT_SIZE];
    num_print(text, -NAN);
    is_str(text, "nan", "what is no number has no sign");
}

static void test_names(void)
{
    struct err err;
    struct names names = {0};
    size_t length;
    is_int(names_add(&names, "a", &err), 1, "a new name");
    is_int(names_add(&names, "b", &err), 1, "another");
    is_int(names_add(&names, "a", &err), 0, "one that was there");
    names_free(&names);
    is_int(names_add(&names, "a", &err), 1, "is new again afterwards");
    names_free(&names);
    is_str(names_stem("x/y.z/cell.a.tif", &length), "cell.a.tif", "a file's name");
    is_int((long long)length, 6, "and its stem");
    is_str(names_stem(".hidden", &length), ".hidden", "a name that begins with its only dot");
    is_int((long long)length, 7, "is all stem");
    names_stem("folder/", &length);
    is_int((long long)length, 0, "a folder's has none");
}

static void test_plain_path(void)
{
    static const char *const pairs[][2] = {{"x", "x"},
                                           {"./x", "x"},
                                           {"a//b/./c", "a/b/c"},
                                           {"a/../x", "x"},
                                           {"a/b/../../x/", "x"},
                                           {"../x", "../x"},
                                           {"../../a/../x", "../../x"},
                                           {"/a/../../x", "/x"},
                                           {"//x/...", "/x/..."},
                                           {"a/..x", "a/..x"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char path[32];
        snprintf(path, sizeof path, "%s", pairs[i][0]);
        names_plain_path(path);
        is_str(path, pairs[i][1], pairs[i][0]);
    }
}

static void test_kept_names(void)
{
    struct err err;
    struct names names = {0};
    char typed[] = "a";
    const char *first = names_keep(&names, typed, &err), *again = names_keep(&names, "a", &err);
    ok(first && first == again && first != typed && names_keep(&names, "b", &err) != first,
       "a set's own copy of a name is one");
    names_free(&names);
}

static void test_room(void)
{
    struct err err;
    int *numbers = NULL, wrong = 0;
    for (int i = 0; i < 100; i++) {
        if (growing_room(&numbers, (size_t)i, sizeof *numbers, &err))
            break;
        numbers[i] = i;
    }
    for (int i = 0; numbers && i < 100; i++)
        wrong += numbers[i] != i;
    ok(numbers && wrong == 0, "an array that its owner counts");
    free(numbers);
    void *large = NULL;
    ok(growing_room(&large, (size_t)1 << 62, 64, &err) == -1 && err.status == STATUS_MEMORY &&
           !large,
       "no room for more than there can be");
}

static void test_numbered_names(void)
{
    struct err err;
    struct names names = {0};
    char to[NAMES_NUMBER + 4];
    is_int(names_add(&names, "abc-2", &err), 1, "a name that is in the way");
    ok(names_number(&names, "abcdef", to, sizeof to, &err) == 0, "another");
    is_str(to, "abc", "is cut so that a number fits");
    ok(names_number(&names, "abc", to, sizeof to, &err) == 0, "the same again");
    is_str(to, "abc-3", "has the first number that is free");
    ok(names_has(&names, "abc-3") && !names_has(&names, "abc-4"), "and is noted down");
    names_free(&names);
}

static void test_new_stems(void)
{
    struct err err;
    struct names names = {0};
    char stem[20];
    ok(names_new_stem(&names, "x/cell.tif", stem, sizeof stem, &err) == 0, "a name");
    is_str(stem, "cell", "gives its stem");
    ok(names_new_stem(&names, "y/cell-2.tif", stem, sizeof stem, &err) == 0, "another one");
    ok(names_new_stem(&names, "y/cell.tif", stem, sizeof stem, &err) == 0, "the first again");
    is_str(stem, "cell-3", "gets a number that is free");
    int different = 0;
    for (int i = 0; i < 20000; i++) {
        struct names seen = {0};
        different += names_new_stem(&names, "z/cell.png", stem, sizeof stem, &err) == 0 &&
                     names_add(&seen, stem, &err) == 1;
        names_free(&seen);
    }
    is_int(different, 20000, "and so do many");
    ok(names_new_stem(&names, "in/..", stem, sizeof stem, &err) == -1 &&
           err.status == STATUS_CREATE,
       "a name that is none");
    ok(names_new_stem(&names, "averyverylongname.png", stem, 10, &err) == -1, "one too long");
    names_free(&names);
}

static void put_text(const char *path, const char *text)
{
    put_file(path, text, strlen(text));
}

/* Writes "new" there: the status. */
static enum status put_output(const char *path)
{
    struct err err = {0};
    struct outfile *out;
    if (outfile_open(&out, path, &err))
        return err.status;
    if (outfile_write(out, "new", 3, &err)) {
        outfile_abort(out);
        return err.status;
    }
    return outfile_commit(out, &err) ? err.status : STATUS_OK;
}

static bool holds(const char *path, const char *text)
{
    char got[16] = "";
    return get_file(path, got, sizeof got) == strlen(text) && strcmp(got, text) == 0;
}

static void test_kept_inputs(const char *folder)
{
    char input[100], same[100], link_[100], late[100];
    struct err err;
    struct outfile *out;
    snprintf(input, sizeof input, "%s/input", folder);
    snprintf(same, sizeof same, "%s/same", folder);
    snprintf(link_, sizeof link_, "%s/../%s/link", folder, strrchr(folder, '/') + 1);
    snprintf(late, sizeof late, "%s/late", folder);
    put_text(input, "old");
    put_text(late, "old");
    ok(link(input, same) == 0 && symlink("input", link_) == 0, "two more names of an input");
    int fd = io_open(input);
    ok(fd >= 0 && close(fd) == 0, "that is read");
    is_int(put_output(input), STATUS_CREATE, "it is not replaced");
    is_int(put_output(same), STATUS_CREATE, "nor under its second name");
    is_int(put_output(link_), STATUS_CREATE, "nor by a link's");
    ok(outfile_open(&out, late, &err) == 0 && guard_input(late) == 0, "one that is read later");
    ok(outfile_commit(out, &err) == -1 && err.status == STATUS_CREATE, "is not replaced");
    ok(holds(input, "old") && holds(late, "old"), "all is as it was");
    ok(guard_rewrites(late, &err) == 0 && put_output(late) == STATUS_OK &&
           put_output(late) == STATUS_OK && holds(late, "new"),
       "but what a run goes on with may be");
    unlink(input), unlink(same), unlink(link_), unlink(late);
}

static void test_kept_outputs(const char *folder)
{
    char path[100], other[100], there[100], his[100], source[100];
    struct err err;
    struct outfile *out, *second;
    snprintf(path, sizeof path, "%s/out", folder);
    snprintf(other, sizeof other, "%s/./out", folder);
    snprintf(there, sizeof there, "%s/there", folder);
    snprintf(his, sizeof his, "%s/his", folder);
    snprintf(source, sizeof source, "%s/source", folder);
    put_text(source, "s");
    ok(outfile_open(&out, path, &err) == 0, "an output");
    ok(outfile_open(&second, other, &err) == -1 && err.status == STATUS_CREATE,
       "is begun but once");
    ok(outfile_commit(out, &err) == 0, "and written");
    is_int(put_output(path), STATUS_CREATE, "once");
    put_text(there, "old");
    is_int(put_output(there), STATUS_OK, "a file that the user names is replaced");
    put_text(his, "his");
    ok(guard_made_up(his, source, &err) == 0, "one with a name made up");
    is_int(put_output(his), STATUS_CREATE, "is not");
    ok(holds(his, "his"), "and stays");
    guard_force();
    is_int(put_output(his), STATUS_OK, "unless by force");
    unlink(path), unlink(there), unlink(his), unlink(source);
    snprintf(path, sizeof path, "%s/" GUARD_LIST, folder);
    ok(unlink(path) == 0, "the folder has a list");
}

static void test_guard(void)
{
    char folder[] = "/tmp/guard-XXXXXX";
    if (!ok(mkdtemp(folder) != NULL, "a folder"))
        return;
    test_kept_inputs(folder);
    test_kept_outputs(folder);
    ok(rmdir(folder) == 0, "nothing is left");
}

static void test_destinations(void)
{
    struct err err;
    struct destination d;
    char folder[] = "/tmp/morphoseg-XXXXXX", made[64], path[200];
    if (!ok(mkdtemp(folder) != NULL, "a folder"))
        return;
    snprintf(made, sizeof made, "%s/new/", folder);
    ok(destination_set(&d, made, "_cells", &err) == 0 && d.is_folder && path_is_folder(made),
       "a name with a slash becomes a folder");
    ok(destination_file(&d, "a.b", "in/a.b.png", "tif", path, sizeof path, &err) == 0,
       "a file in it");
    is_str(path + strlen(made), "a.b_cells.tif", "has stem, suffix and ending");
    ok(destination_file(&d, "a", "a.png", "tif", path, 20, &err) == -1, "a name that is too long");
    ok(destination_set(&d, "", "", &err) == -1 && err.status == STATUS_USAGE, "an empty name");
    ok(destination_set(&d, "x", "a/b", &err) == -1, "a suffix with a slash");
    ok(destination_set(&d, "/dev/null/x/", "", &err) == -1 && err.status == STATUS_CREATE,
       "a folder that cannot be made");
    ok(destination_set(&d, "-", "", &err) == 0 && destination_is_stdout(&d), "standard output");
    rmdir(made);
    rmdir(folder);
}

static void test_conversions(void)
{
    struct err err;
    uint32_t labels[3];
    float values[4];
    int16_t below[] = {1, -1, 2};
    uint64_t large[] = {1, 2, UINT64_C(1) << 32};
    uint8_t bytes[] = {1, 2, 3, 4, 5, 6};
    uint16_t halves[] = {0x3c00, 0x4000, 0};
    struct array a = array_view(DTYPE_I16, 1, (size_t[]){3}, below);
    ok(convert_labels(&a, labels, &err) == -1, "a label below zero");
    a = array_view(DTYPE_U64, 1, (size_t[]){3}, large);
    ok(convert_labels(&a, labels, &err) == -1, "a label above 2^32 - 1");
    a = array_view(DTYPE_F16, 1, (size_t[]){3}, halves);
    ok(convert_labels(&a, labels, &err) == -1, "labels that are fractions");
    ok(convert_floats(&a, values, &err) == 0 && values[0] == 1 && values[1] == 2, "half floats");
    a = array_view(DTYPE_U8, 1, (size_t[]){3}, bytes);
    ok(convert_labels(&a, labels, &err) == 0 && labels[2] == 3, "labels of 8 bits");
    ok(convert_floats(&a, values, &err) == -1, "are no floats");
    convert_pixels(bytes, DTYPE_U8, 3, 2, 2, values);
    ok(values[0] == 1 && values[1] == 2 && values[2] == 4 && values[3] == 5,
       "the first channels of pixels");
}

static void test_spills(void)
{
    struct err err;
    struct spill memory, file, claimed;
    ok(spill_new(&memory, 1000, &err) == 0 && memory.fd < 0, "a small one is in memory");
    ok(spill_new_above(&file, 100000, 1000, &err) == 0 && file.fd >= 0, "a large one in a file");
    unsigned char *bytes = file.data;
    ok(bytes[0] == 0 && bytes[99999] == 0, "of zeros");
    memset(bytes, 7, 100000);
    ok(bytes[0] == 7 && bytes[99999] == 7, "that keeps what is written");
    spill_free(&file);
    ok(file.data == NULL, "freed");
    if (getenv("EMULATED")) {
        tap_skip("a terabyte that is claimed: an emulator keeps a table of its pages");
        tap_skip("and reserved in part");
    } else {
        ok(spill_new_claimed(&claimed, (size_t)1 << 40, 1000, &err) == 0,
           "a terabyte that is claimed");
        ok(spill_reserve(&claimed, 5000, &err) == 0, "and reserved in part");
        ((char *)claimed.data)[4999] = 1;
        spill_free(&claimed);
    }
    spill_free(&memory);
    spill_free(&memory);
    const char *before = getenv("TMPDIR");
    char *kept = before ? strdup(before) : NULL;
    setenv("TMPDIR", "/nonexistent", 1);
    ok(spill_new_above(&file, 100000, 1000, &err) == -1 && err.status == STATUS_CREATE,
       "no folder for the file");
    ok(strstr(err.message, "/nonexistent/") != NULL, "is named");
    if (kept)
        setenv("TMPDIR", kept, 1);
    else
        unsetenv("TMPDIR");
    free(kept);
}

/* ---- outputs ---- */

static void test_outputs(void)
{
    struct err err;
    struct outfile *out;
    char path[30] = "/tmp/outfile-XXXXXX", text[1000] = "";
    int fd = mkstemp(path), failed;
    close(fd);
    ok(!outfile_open(&out, path, &err) && !outfile_put(out, "a", 1, &err) &&
           !outfile_print(out, &err, "%d", 7) && !outfile_put_name(out, "b\n", &err) &&
           !outfile_write(out, "now", 3, &err) && !outfile_put(out, "end", 3, &err) &&
           !outfile_commit(out, &err),
       "small pieces and what is written at once");
    size_t size = get_file(path, text, sizeof text);
    ok(size > 9 && memcmp(text, "a7b", 3) == 0 && memcmp(text + size - 6, "nowend", 6) == 0,
       "are in the file in their order");
    unlink(path);
    strcat(path, "2");
    ok(!outfile_open(&out, path, &err) && !outfile_put(out, "other", 5, &err), "pieces that wait");
    outfile_abort(out);
    ok(get_file(path, text, sizeof text) == 0, "are gone with the output that is given up");
    ok(!outfile_open(&out, "/dev/full", &err) && !outfile_put(out, "x", 1, &err) &&
           outfile_commit(out, &err) == -1 && err.status == STATUS_IO,
       "a full disk is noticed at the end");
    failed = outfile_open(&out, "/dev/full", &err);
    for (int i = 0; i < 100 && !failed; i++)
        failed = outfile_put(out, text, sizeof text, &err);
    ok(failed && err.status == STATUS_IO, "or when there are many");
    outfile_abort(out);
}

/* ---- tables ---- */

static void put_rows(const char *path, size_t rows)
{
    FILE *file = fopen(path, "wb");
    fprintf(file, "# made\tby a test\nname\tvalue\n");
    for (size_t i = 0; i < rows; i++)
        fprintf(file, "a row of the table\t%zu\n", i);
    fclose(file);
}

/* Reads it in a process that can have that much more memory than it has. */
static bool reads_within(const char *path, size_t bytes)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct tsv tsv;
        struct err err;
        unsigned long pages = 0;
        FILE *file = fopen("/proc/self/statm", "r");
        if (!file || fscanf(file, "%lu", &pages) != 1)
            _exit(2);
        struct rlimit room = {.rlim_max = RLIM_INFINITY};
        room.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
        _exit(setrlimit(RLIMIT_AS, &room) || tsv_read(&tsv, path, &err) || tsv.rows != 3);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static void test_tables(void)
{
    struct tsv tsv;
    struct err err = {0};
    char path[] = "/tmp/table-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return;
    close(fd);
    put_rows(path, 3);
    ok(reads_within(path, (size_t)4 << 20), "a small table takes little");
    put_rows(path, 700000);
    bool pass = tsv_read(&tsv, path, &err) == 0;
    ok(pass && tsv.rows == 700000 && strcmp(tsv_cell(&tsv, 699999, 1), "699999") == 0,
       "one of 18 MB is read");
    ok(pass && strcmp(tsv_remark(&tsv, "made"), "by a test") == 0, "with its remark");
    tsv_free(&tsv);
    put_file(path, "a\tb\n1\t\0\n", 8);
    ok(tsv_read(&tsv, path, &err) == -1 && strstr(err.message, "not a table"),
       "one with a zero byte is none");
    ok(tsv_read(&tsv, "/dev/zero", &err) == -1 && strstr(err.message, "not a table"),
       "and what has nothing else comes to an end");
    unlink(path);
}

int main(void)
{
    tap_plan(158);
    test_numbers();
    test_crc32c();
    test_identity();
    test_arrays();
    test_halves();
    test_random_numbers();
    test_output_files();
    test_printing();
    test_names();
    test_numbered_names();
    test_plain_path();
    test_kept_names();
    test_room();
    test_new_stems();
    test_destinations();
    test_guard();
    test_conversions();
    test_spills();
    test_outputs();
    test_tables();
    return tap_done();
}
