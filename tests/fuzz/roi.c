/* ImageJ's outlines: .roi, zips of them, and TIFFs that have them inside. */
#include "tests/fuzz/annotations.h"
#include "tests/fuzz/zip.h"

FUZZ_PARTS(&zip_kind)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return annotations_read(data, size);
}
