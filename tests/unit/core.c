/* lib/core: numbers, arrays, half precision, random numbers, output files. */
#include <stdlib.h>
#include <unistd.h>

#include "core/array.h"
#include "core/half.h"
#include "core/num.h"
#include "core/outfile.h"
#include "core/rng.h"
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
    ok(outfile_open(&out, path, &err) == 0 && outfile_write(out, "x", 1, &err) == 0, "once more");
    outfile_abort(out);
    FILE *f = fopen(path, "r");
    char text[8] = "";
    ok(f && fread(text, 1, 7, f) == 3, "an abort leaves the old file");
    if (f)
        fclose(f);
    unlink(path);
    ok(rmdir(folder) == 0, "and nothing else");
    ok(outfile_open(&out, "/nonexistent/x", &err) == -1 && err.status == STATUS_CREATE,
       "a folder that is not there");
    ok(outfile_open(&out, "/dev/full", &err) == 0, "a full device opens");
    ok(outfile_write(out, "x", 1, &err) == -1 && err.status == STATUS_IO, "and a write fails");
    outfile_abort(out);
}

int main(void)
{
    test_numbers();
    test_arrays();
    test_halves();
    test_random_numbers();
    test_output_files();
    return tap_done();
}
