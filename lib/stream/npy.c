#include "stream/npy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/npy.h"

#define ALIGNMENT 64

int npy_adopt(struct array *array, unsigned char *file, size_t size, struct err *err)
{
    struct npy_header header;
    if (npy_read_header(&header, file, size, err))
        return -1;
    if (header.object)
        return err_set(err, STATUS_DATA, "its elements are objects");
    unsigned char *data = file + header.size;
    if (header.fortran && header.ndim > 1) {
        if (npy_copy(array, &header, data, err))
            return -1;
        free(file);
        return 0;
    }
    if ((uintptr_t)data % ALIGNMENT)
        data = memmove(file, data, size - header.size);
    *array = array_view(header.dtype, header.ndim, header.shape, data);
    array->memory = file;
    if (header.swapped)
        array_swap_bytes(array);
    return 0;
}
