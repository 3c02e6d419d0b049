/* The image files of a folder and their stems, to match masks with predictions. */
#ifndef IMAGE_FOLDER_H
#define IMAGE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct folder {
    struct folder_file {
        char *stem; /* the name without its ending and without the suffix */
        char *path;
    } * files; /* in the order of their stems, each once */
    size_t count;
};

/* Files that end as images do (.png, .tif, .jpg, .svs, ..., in any case) and aren't hidden, whose
 * name without its ending ends with `suffix`, which is cut off.  With a
 * suffix arrays are listed, too (.npy, .npz), unless an image has that stem.  Two files of one
 * stem are STATUS_DATA.  The caller frees it. */
int folder_list(struct folder *folder, const char *path, const char *suffix,
                struct err *err) MUST_CHECK;

/* The same of masks: `without` says how long a stem is without what names of masks end with,
 * which is cut off.  Of a mask and a file that has the stem without it, the mask is listed. */
int folder_list_masks(struct folder *folder, const char *path,
                      size_t (*without)(const char *stem, size_t length),
                      struct err *err) MUST_CHECK;
void folder_free(struct folder *folder);

/* Puts the path of the folder's image that has the stem of `name` into `path`; annotations may lie
 * beside it.  STATUS_NO_INPUT when there is none. */
int folder_find_image(const char *folder, const char *name, char *path, size_t room,
                      struct err *err) MUST_CHECK;

/* The file of that stem, or NULL.  Borrowed. */
const struct folder_file *folder_find(const struct folder *folder, const char *stem);

#endif
