/* The input is the data.pkl of a PyTorch checkpoint that has three storages. */
#include "tests/fuzz/fuzz.h"
#include "tests/zip.h"
#include "weights/values.h"
#include "weights/weights.h"

#define MAX_SIZE 100000

static int read_pickle(struct weights *weights, const uint8_t *pickle, size_t size, struct err *err)
{
    static const uint8_t storage[144];
    static struct zip_maker zip;
    zip.size = 0;
    zip.count = 0;
    zip_add(&zip, "archive/data.pkl", pickle, size);
    zip_add(&zip, "archive/data/0", storage, 144);
    zip_add(&zip, "archive/data/1", storage, 16);
    zip_add(&zip, "archive/data/2", storage, 8);
    zip_finish(&zip);
    return weights_read(weights, fuzz_file(zip.bytes, zip.size), err);
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
