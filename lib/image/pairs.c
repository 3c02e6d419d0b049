#include "image/pairs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- two folders ---- */

static void match(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->a.count; i++) {
        const struct folder_file *a = &pairs->a.files[i], *b = folder_find(&pairs->b, a->stem);
        struct pair pair = {a->stem, a->path, b ? b->path : NULL};
        if (b)
            pairs->matched[pairs->matched_count++] = pair;
        else
            pairs->single[pairs->single_count++] = pair;
    }
    for (size_t i = 0; i < pairs->b.count; i++) {
        const struct folder_file *b = &pairs->b.files[i];
        if (!folder_find(&pairs->a, b->stem))
            pairs->single[pairs->single_count++] = (struct pair){b->stem, NULL, b->path};
    }
}

int pairs_match(struct pairs *pairs, const char *folder_a, const char *suffix_a,
                const char *folder_b, const char *suffix_b, struct err *err)
{
    *pairs = (struct pairs){0};
    if (folder_list(&pairs->a, folder_a, suffix_a, err))
        return -1;
    int rc = folder_list(&pairs->b, folder_b, suffix_b, err);
    if (rc == 0 && pairs->a.count == 0)
        rc = err_set(err, STATUS_NO_INPUT, "read '%s': no images of such names", folder_a);
    size_t most = pairs->a.count + pairs->b.count + 1;
    if (rc == 0) {
        pairs->matched = calloc(most, sizeof *pairs->matched);
        pairs->single = calloc(most, sizeof *pairs->single);
        rc = pairs->matched && pairs->single ? 0 : err_memory(err, "file names");
    }
    if (rc)
        pairs_free(pairs);
    else
        match(pairs);
    return rc;
}

void pairs_free(struct pairs *pairs)
{
    folder_free(&pairs->a);
    folder_free(&pairs->b);
    free(pairs->matched);
    free(pairs->single);
    *pairs = (struct pairs){0};
}
