#include "tests/fuzz/pixels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return pixels_read_all(data, size);
}
