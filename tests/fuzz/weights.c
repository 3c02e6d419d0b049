#include "weights/weights.h"
#include "tests/fuzz/fuzz.h"
#include "weights/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weights weights;
    struct err err;
    if (weights_read(&weights, fuzz_file(data, size), &err))
        return 0;
    for (size_t i = 0; i < weights.count; i++)
        if (weights_max_difference(&weights.items[i].array, &weights.items[i].array) != 0)
            abort();
    weights_free(&weights);
    return 0;
}
