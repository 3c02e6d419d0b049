#include "weights/weights.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/guard.h"
#include "tests/files.h"
#include "tests/refused.h"

static char folder[] = "/tmp/weights-XXXXXX";
static struct err err;

static const char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A safetensors file of that header and so many zero bytes. */
static void put_safetensors(const char *header, size_t data_size)
{
    char bytes[4096] = {0};
    size_t length = strlen(header);
    bytes[0] = (char)(length & 255);
    bytes[1] = (char)(length >> 8);
    memcpy(bytes + 8, header, length);
    put_file(path_of("made"), bytes, 8 + length + data_size);
}

static void refuses(const char *header, size_t data_size, const char *reason)
{
    put_safetensors(header, data_size);
    is_refused(path_of("made"), reason, reason);
}

static void test_refusals(void)
{
    refuses("[]", 0, "not a JSON object");
    refuses("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "its data end");
    refuses("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9,
            "1 bytes follow the last tensor");
    refuses("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
            "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            8, "duplicate");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
            3, "overlap at byte 2");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3, "hole at byte 0");
    refuses("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
            "needs 12 bytes");
    refuses("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}", 8,
            "'F8_E4M3' is not supported");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,0]}}", 0, "list of sizes");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],"
            "\"data_offsets\":[0,0]}}",
            0, "too many bytes");
    refuses("{\"__metadata__\":{\"a\":1}}", 0, "not a string");
    refuses("{\"a\\u001b[2J\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0,
            "control characters");
}

static void test_missing(void)
{
    struct weights weights;
    is_int(weights_read(&weights, path_of("absent"), &err), -1, "no such file");
    is_int(err.status, STATUS_NO_INPUT, "says no input");
    is_int(weights_read(&weights, folder, &err), -1, "a folder");
    is_int(err.status, STATUS_NO_INPUT, "says no input");
    put_file(path_of("empty"), "", 0);
    is_int(weights_read(&weights, path_of("empty"), &err), -1, "an empty file");
    is_int(err.status, STATUS_DATA, "says bad data");
}

static void make(struct weights *weights)
{
    static float values[6] = {1, 2, 3, 4, 5, -6.5f};
    static unsigned char bytes[3] = {7, 8, 9};
    static int64_t steps = 41;
    struct array a = array_view(DTYPE_U8, 1, (size_t[]){3}, bytes);
    struct array b = array_view(DTYPE_F32, 2, (size_t[]){2, 3}, values);
    struct array c = array_view(DTYPE_I64, 0, NULL, &steps);
    struct array d = array_view(DTYPE_F16, 2, (size_t[]){0, 5}, NULL);
    ok(!weights_add(weights, "bytes", &a, &err) && !weights_add(weights, "net.w", &b, &err) &&
           !weights_add(weights, "steps", &c, &err) && !weights_add(weights, "nothing", &d, &err),
       "four tensors added");
    is_int(weights_add(weights, "net.w", &b, &err), -1, "a name twice is refused");
    ok(!weights_set_metadata(weights, "arch", "x", &err) &&
           !weights_set_metadata(weights, "arch", "unetpp:\"\xc3\xa9\"", &err) &&
           !weights_set_metadata(weights, "seed", "1", &err),
       "metadata set");
}

static void check_round_trip(const struct weights *read)
{
    is_int((long long)read->count, 4, "four tensors read");
    is_str(read->format, "safetensors", "format");
    is_int((long long)read->metadata_count, 2, "two metadata");
    is_str(weights_metadata(read, "arch"), "unetpp:\"\xc3\xa9\"", "metadata value");
    ok(!weights_metadata(read, "none") && !weights_find(read, "none"), "absent names give NULL");
    const struct array *w = weights_find(read, "net.w"), *steps = weights_find(read, "steps");
    const struct array *bytes = weights_find(read, "bytes");
    ok(w && w->dtype == DTYPE_F32 && w->ndim == 2 && w->shape[0] == 2 && w->shape[1] == 3, "shape");
    is_near(((float *)w->data)[5], -6.5, 0, "last value");
    ok(steps->ndim == 0 && *(int64_t *)steps->data == 41, "a scalar");
    ok(bytes->shape[0] == 3 && memcmp(bytes->data, "\7\10\11", 3) == 0, "bytes");
    is_int((long long)array_count(weights_find(read, "nothing")), 0, "an empty tensor");
    for (size_t i = 0; i < read->count; i++)
        ok((uintptr_t)read->items[i].array.data % dtype_size(read->items[i].array.dtype) == 0 &&
               !read->items[i].array.memory,
           "%s is an aligned view", read->items[i].name);
}

static void test_round_trip(void)
{
    struct weights made = {0}, read;
    make(&made);
    is_int(guard_rewrites(path_of("out"), &err) || weights_write(&made, path_of("out"), &err), 0,
           "written");
    if (is_int(weights_read(&read, path_of("out"), &err), 0, "read"))
        check_round_trip(&read);
    char command[300], expected[65] = "";
    is_int(weights_hash(&read, path_of("out"), &err), 0, "hashed");
    snprintf(command, sizeof command, "sha256sum %s", path_of("out"));
    FILE *f = popen(command, "r");
    ok(f && fscanf(f, "%64s", expected) == 1 && pclose(f) == 0, "sha256sum");
    is_str(read.sha256, expected, "the hash is that of sha256sum");
    is_int(weights_write(&made, "/dev/full", &err), -1, "a full disk is noticed");
    is_int(weights_write(&made, path_of("no/out"), &err), -1, "no such folder");
    weights_free(&made);
    weights_free(&read);
}

static void test_unaligned(void)
{
    struct weights read;
    put_safetensors("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                    "\"b\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[1,9]}}",
                    9);
    if (is_int(weights_read(&read, path_of("made"), &err), 0, "unaligned data are read"))
        is_int((uintptr_t)weights_find(&read, "b")->data % 8, 0, "as an aligned copy");
    weights_free(&read);
}

int main(void)
{
    tap_plan(44);
    if (!mkdtemp(folder))
        return 1;
    test_refusals();
    test_missing();
    test_round_trip();
    test_unaligned();
    for (int i = 0; i < 3; i++)
        unlink(path_of((const char *[]){"made", "empty", "out"}[i]));
    rmdir(folder);
    return tap_done();
}
