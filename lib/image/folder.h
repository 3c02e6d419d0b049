/* The image files of a folder and their stems, to match masks with predictions. */
#ifndef IMAGE_FOLDER_H
#define IMAGE_FOLDER_H

#include <stddef.h>

#include "core/err.h"

struct folder {
    struct folder_file {
        char *stem; /* the name without its ending and without the suffix */
        char *path;
    } * files; /* in the order of their stems, each once */
    size_t count;
};

/* Files that end in .png, .tif, .tiff, .jpg or .jpeg, in any case, are not hidden,
 * and whose name without that ends with `suffix`, which is cut off.  Two files of
 * one stem are STATUS_DATA.  The caller frees it. */
int folder_list(struct folder *folder, const char *path, const char *suffix,
                struct err *err) MUST_CHECK;
void folder_free(struct folder *folder);

/* The file of that stem, or NULL.  Borrowed. */
const struct folder_file *folder_find(const struct folder *folder, const char *stem);

#endif
