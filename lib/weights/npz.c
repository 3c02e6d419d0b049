/* NumPy's .npz: a zip of .npy files, as the published ViT checkpoints are. */
#include <stdlib.h>
#include <string.h>

#include "core/npy.h"
#include "weights/internal.h"
#include "weights/zip.h"

/* `keep`: the bytes live as long as the weights, so that a view will do. */
static int read_npy(const unsigned char *bytes, size_t size, bool keep, struct array *array,
                    struct err *err)
{
    struct npy_header header;
    if (npy_read_header(&header, bytes, size, err))
        return -1;
    if (header.object)
        return err_set(err, STATUS_DATA, "its elements are objects");
    bytes += header.size;
    if (keep && !header.fortran && !header.swapped)
        return weights_place(array, header.dtype, header.ndim, header.shape, bytes, err);
    return npy_copy(array, &header, bytes, err);
}

static int read_record(struct zip_entry *entry, struct array *array, struct err *err)
{
    unsigned char *inflated = NULL;
    if (!entry->deflated)
        return zip_check(entry, err) ? -1 : read_npy(entry->data, entry->size, true, array, err);
    if (zip_inflate(entry, &inflated, err))
        return -1;
    int result = read_npy(inflated, entry->size, false, array, err);
    free(inflated);
    return result;
}

static int read_entry(struct weights *weights, struct zip_entry *entry, struct err *err)
{
    static const char suffix[] = ".npy";
    size_t length = strlen(suffix);
    struct array array;
    if (entry->name_length <= length ||
        memcmp(entry->name + entry->name_length - length, suffix, length) != 0)
        return err_set(err, STATUS_DATA, "'%.*s' in the zip archive is not a .npy file",
                       entry->name_length < 200 ? (int)entry->name_length : 200, entry->name);
    if (read_record(entry, &array, err))
        return err_prefix(err, "'%.*s'", entry->name_length < 200 ? (int)entry->name_length : 200,
                          entry->name);
    return weights_take(weights, entry->name, entry->name_length - length, &array, err);
}

int npz_read(struct weights *weights, struct zip *zip, struct err *err)
{
    weights->format = "npz";
    for (size_t i = 0; i < zip->count; i++)
        if (read_entry(weights, &zip->entries[i], err))
            return -1;
    return 0;
}
