/* The input is the data.pkl of a PyTorch checkpoint that has three storages. */
#include <zlib.h>

#include "tests/fuzz/fuzz.h"
#include "weights/values.h"
#include "weights/weights.h"

#define MAX_SIZE 100000

static uint8_t archive[MAX_SIZE + 2000];
static size_t end;
static struct {
    const char *name;
    size_t begin, size;
    uint32_t crc;
} records[4];

static void put(uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        archive[end++] = (uint8_t)(value >> 8 * i);
}

static void put_bytes(const void *bytes, size_t size)
{
    if (size)
        memcpy(archive + end, bytes, size);
    end += size;
}

/* What local and central header share, from the version on. */
static void put_header(int i)
{
    put(20, 2);
    put(0, 8);
    put(records[i].crc, 4);
    put(records[i].size, 4);
    put(records[i].size, 4);
    put(strlen(records[i].name), 2);
    put(0, 2);
}

static void put_record(int i, const char *name, const void *data, size_t size)
{
    records[i].name = name;
    records[i].begin = end;
    records[i].size = size;
    records[i].crc = (uint32_t)crc32(0, data, (uInt)size);
    put(0x04034b50, 4);
    put_header(i);
    put_bytes(name, strlen(name));
    put_bytes(data, size);
}

static void put_directory(void)
{
    size_t begin = end;
    for (int i = 0; i < 4; i++) {
        put(0x02014b50, 4);
        put(20, 2);
        put_header(i);
        put(0, 8);
        put(0, 2);
        put(records[i].begin, 4);
        put_bytes(records[i].name, strlen(records[i].name));
    }
    size_t size = end - begin;
    put(0x06054b50, 4);
    put(0, 4);
    put(4, 2);
    put(4, 2);
    put(size, 4);
    put(begin, 4);
    put(0, 2);
}

static int read_pickle(struct weights *weights, const uint8_t *pickle, size_t size, struct err *err)
{
    static const uint8_t storage[144];
    end = 0;
    put_record(0, "archive/data.pkl", pickle, size);
    put_record(1, "archive/data/0", storage, 144);
    put_record(2, "archive/data/1", storage, 16);
    put_record(3, "archive/data/2", storage, 8);
    put_directory();
    return weights_read(weights, fuzz_file(archive, end), err);
}

/* The archive is sound: an empty dictionary gets as far as its tensors. */
static void check_archive(void)
{
    struct weights weights;
    struct err err;
    if (!read_pickle(&weights, (const uint8_t *)"\x80\2}.", 4, &err) ||
        !strstr(err.message, "no tensors"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool checked;
    struct weights weights;
    struct err err;
    if (!checked)
        check_archive();
    checked = true;
    if (size > MAX_SIZE || read_pickle(&weights, data, size, &err))
        return 0;
    for (size_t i = 0; i < weights.count; i++)
        if (weights_count_not_finite(&weights.items[i].array))
            abort();
    weights_free(&weights);
    return 0;
}
