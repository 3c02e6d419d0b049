#include "tests/fuzz/png.h"

#include "tests/fuzz/pixels.h"

FUZZ_PARTS(&png_kind)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return pixels_read_all(data, size);
}
