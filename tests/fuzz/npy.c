#include "tests/fuzz/npy.h"

#include "core/npy.h"
#include "tests/fuzz/pixels.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned random)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (random % 4)
        npy_fit(data, size);
    return size;
}

static void copy(const struct npy_header *header, const uint8_t *data)
{
    unsigned char again[NPY_HEADER_ROOM];
    struct array array;
    struct err err;
    if (npy_copy(&array, header, data + header->size, &err))
        return;
    if (npy_header_size(&array) > sizeof again || npy_write_header(again, &array, &err))
        abort();
    array_free(&array);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct npy_header header;
    struct err err;
    if (npy_read_header(&header, data, size, &err) == 0 && !header.object)
        copy(&header, data);
    return pixels_read_all(data, size);
}
