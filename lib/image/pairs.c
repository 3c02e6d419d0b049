#include "image/pairs.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "core/names.h"

static const char *const mask_extensions[] = {"png", "tif", "tiff", "PNG", "TIF", "TIFF"};

/* The folder's file of this stem, in `path`; false when there is none. */
static bool find_file(const char *folder, const char *stem, size_t stem_length, const char *suffix,
                      char *path, size_t size)
{
    for (size_t i = 0; i < sizeof mask_extensions / sizeof *mask_extensions; i++) {
        int length = snprintf(path, size, "%s/%.*s%s.%s", folder, (int)stem_length, stem, suffix,
                              mask_extensions[i]);
        if (length > 0 && (size_t)length < size && access(path, F_OK) == 0)
            return true;
    }
    return false;
}

int pairs_find_mask(const char *folder, const char *image, const char *suffix, char *path,
                    size_t size, struct err *err)
{
    size_t length;
    const char *stem = names_stem(image, &length);
    if (find_file(folder, stem, length, suffix, path, size) ||
        find_file(folder, stem, length, "", path, size))
        return 0;
    return err_set(err, STATUS_NO_INPUT,
                   "find the mask of '%s': neither %.*s%s.* nor %.*s.* in '%s'", image, (int)length,
                   stem, suffix, (int)length, stem, folder);
}
