#include "image/pairs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/names.h"

/* ---- names ---- */

static const char *const mask_extensions[] = {"png",  "tif",     "tiff",     "PNG", "TIF",
                                              "TIFF", "ome.tif", "ome.tiff", NULL};
/* Where none of these is there: of Cellpose, whose masks often lie beside it as pictures, too,
 * and what keeps no labels. */
static const char *const second_extensions[] = {"npy", "npz", "jpg", "jpeg", "JPG", "JPEG", NULL};
static const char *const image_extensions[] = {
    "png",     "tif",      "tiff", "jpg",  "jpeg", "PNG",  "TIF", "TIFF", "JPG", "JPEG",
    "ome.tif", "ome.tiff", "svs",  "ndpi", "scn",  "mrxs", "bif", "lsm",  "stk"};

/* What names of masks end with: ours, Cellpose's (in its window and on its command line), what
 * people write, QuPath's; and of other results that lie beside images. */
static const char *const mask_habits[] = {"_mask",   "_masks",   "_cp_masks", "_seg",  "_label",
                                          "_labels", "_labeled", "_labeled",  "-mask", "-masks",
                                          "-label",  "-labels",  "-labeled",  NULL};
static const char *const result_habits[] = {"_cells", "_overlay", "_outlines", "_cp_outlines",
                                            "_flows", "_prob",    NULL};

/* The length of the stem without a habit's ending; the whole when it has none. */
static size_t without(const char *stem, size_t length, const char *const *habits)
{
    size_t least = length;
    for (; *habits; habits++) {
        size_t end = strlen(*habits);
        if (length > end && memcmp(stem + length - end, *habits, end) == 0 && length - end < least)
            least = length - end;
    }
    return least;
}

/* The length of a stem without such a suffix. */
static size_t without_mask(const char *stem, size_t length)
{
    return without(stem, length, mask_habits);
}

/* Or without _0000. */
static size_t without_channel_number(const char *stem, size_t length)
{
    bool has =
        length > 5 && stem[length - 5] == '_' && strspn(stem + length - 4, "0123456789") >= 4;
    return has ? length - 5 : length;
}

/* ---- a mask ---- */

/* What is looked for. */
struct wanted {
    const char *folder, *image, *stem;
    size_t length;
    char *path; /* the file found */
    size_t size;
};

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The same with one of these endings: 1, or 0 when there is none. */
static int find_ending(struct wanted *w, size_t length, const char *suffix,
                       const char *const *endings, struct err *err)
{
    int found = 0;
    char path[4096];
    for (; *endings; endings++) {
        int n = snprintf(path, sizeof path, "%s/%.*s%s.%s", w->folder, (int)length, w->stem, suffix,
                         *endings);
        if (n < 0 || (size_t)n >= sizeof path || (size_t)n >= w->size || access(path, F_OK) ||
            is_same_file(path, w->image) || (found && is_same_file(path, w->path)))
            continue;
        if (found++)
            return err_set(err, STATUS_DATA, "find the mask of '%s': it may be '%s' or '%s'",
                           w->image, w->path, path);
        memcpy(w->path, path, (size_t)n + 1);
    }
    return found;
}

static bool is_folder_of(const char *folder, const char *path)
{
    char parent[4096];
    const char *slash = strrchr(path, '/');
    int n = slash ? snprintf(parent, sizeof parent, "%.*s/", (int)(slash - path), path)
                  : snprintf(parent, sizeof parent, ".");
    return n > 0 && (size_t)n < sizeof parent && is_same_file(folder, parent);
}

/* The folder's file of the stem's first bytes and the suffix, but for the image itself: 1, or 0
 * when there is none.  Beside the image what is called as it is no mask if it ends as photographs
 * or arrays do. */
static int find_file(struct wanted *w, size_t length, const char *suffix, struct err *err)
{
    int found = find_ending(w, length, suffix, mask_extensions, err);
    if (found || (!*suffix && is_folder_of(w->folder, w->image)))
        return found;
    return find_ending(w, length, suffix, second_extensions, err);
}

/* With the suffix, or one of the habits, or without any. */
static int find_length(struct wanted *w, size_t length, const char *suffix, struct err *err)
{
    const char *const only[] = {suffix, NULL};
    for (const char *const *s = suffix ? only : mask_habits; *s; s++) {
        int found = find_file(w, length, *s, err);
        if (found)
            return found;
    }
    return find_file(w, length, "", err);
}

int pairs_find_mask(const char *folder, const char *image, const char *suffix, char *path,
                    size_t size, struct err *err)
{
    struct wanted w = {.folder = folder, .image = image, .path = path, .size = size};
    w.stem = names_stem(image, &w.length);
    int found = find_length(&w, w.length, suffix, err);
    size_t without_channel = without_channel_number(w.stem, w.length);
    if (found == 0 && without_channel < w.length)
        found = find_length(&w, without_channel, suffix, err);
    if (found)
        return found < 0 ? -1 : 0;
    return err_set(err, STATUS_NO_INPUT,
                   "find the mask of '%s': neither %.*s%s.* nor another %.*s.* in '%s'", image,
                   (int)w.length, w.stem, suffix ? suffix : mask_habits[0], (int)w.length, w.stem,
                   folder);
}

/* ---- a result beside its image ---- */

static bool is_beside(const char *path, size_t length, char *image, size_t size)
{
    for (size_t i = 0; i < sizeof image_extensions / sizeof *image_extensions; i++) {
        int n = snprintf(image, size, "%.*s.%s", (int)length, path, image_extensions[i]);
        if (n > 0 && (size_t)n < size && access(image, F_OK) == 0)
            return true;
    }
    return false;
}

bool pairs_is_result(const char *path, char *image, size_t size)
{
    size_t length;
    const char *stem = names_stem(path, &length);
    size_t before = (size_t)(stem - path), least = without_mask(stem, length);
    if (least == length)
        least = without(stem, length, result_habits);
    if (least == length)
        return false;
    /* X_cp_masks is of X, and might be of an X_cp */
    for (const char *const *s = mask_habits; *s; s++) {
        size_t end = strlen(*s);
        if (length - least > end && memcmp(stem + length - end, *s, end) == 0 &&
            is_beside(path, before + length - end, image, size))
            return true;
    }
    return is_beside(path, before + least, image, size);
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

static int list_masks(struct folder *folder, const char *path, const char *suffix, struct err *err)
{
    return suffix ? folder_list(folder, path, suffix, err)
                  : folder_list_masks(folder, path, without_mask, err);
}

int pairs_match(struct pairs *pairs, const char *folder_a, const char *suffix_a,
                const char *folder_b, const char *suffix_b, struct err *err)
{
    *pairs = (struct pairs){0};
    if (list_masks(&pairs->a, folder_a, suffix_a, err))
        return -1;
    int rc = list_masks(&pairs->b, folder_b, suffix_b, err);
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

/* ---- the image of a mask ---- */

static const char *find_image(const struct folder *images, const char *name, size_t length,
                              const char *end, const char *mask)
{
    char stem[1024];
    snprintf(stem, sizeof stem, "%.*s%s", (int)length, name, end);
    const struct folder_file *file = folder_find(images, stem);
    return file && !is_same_file(file->path, mask) ? file->path : NULL;
}

const char *pairs_find_image(const struct folder *images, const char *mask)
{
    size_t length;
    const char *name = names_stem(mask, &length), *found = NULL;
    size_t plain = without_mask(name, length);
    if (plain < length)
        found = find_image(images, name, plain, "", mask);
    if (!found)
        found = find_image(images, name, length, "", mask);
    if (!found)
        found = find_image(images, name, plain, "_0000", mask);
    return found;
}
