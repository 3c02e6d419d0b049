/* Files of weights of every kind, told by their first bytes: safetensors, zips of torch.save
 * and of NumPy, older files of torch.save, dictionaries of NumPy. */
#include "weights/weights.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/npy.h"
#include "tests/fuzz/safetensors.h"
#include "tests/fuzz/zip.h"
#include "weights/values.h"

static void fit_arrays(struct parts *parts, struct parts_out *out)
{
    for (int i = 0; i < parts->count; i++)
        npy_fit(parts->part[i].data, parts->part[i].size);
    zip_put_parts(parts, out);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned random)
{
    static const struct parts_kind zip_of_npy = {zip_take, fit_arrays};
    bool is_zip = size > 4 && memcmp(data, "PK\3\4", 4) == 0;
    return parts_mutate(is_zip ? &zip_of_npy : &safetensors_kind, data, size, max_size, random);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weights weights;
    struct err err;
    if (weights_read(&weights, fuzz_file(data, size), &err))
        return 0;
    if (!weights_metadata(&weights, "fuzz") && weights_set_metadata(&weights, "fuzz", "a", &err))
        abort();
    (void)!weights_write(&weights, "/dev/null", &err);
    for (size_t i = 0; i < weights.count; i++)
        if (weights_max_difference(&weights.items[i].array, &weights.items[i].array) != 0)
            abort();
    weights_free(&weights);
    return 0;
}
