#include "image/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/names.h"

bool folder_is_image_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    static const char *const endings[] = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".lsm", ".stk",
                                          ".btf", ".svs", ".ndpi", ".scn", ".mrxs", ".bif"};
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return name[0] != '.';
    return false;
}

static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static int add(struct folder *f, const char *folder, const char *name, size_t length,
               struct err *err)
{
    if ((f->count & (f->count - 1)) == 0) {
        void *files = realloc(f->files, 2 * (f->count + 1) * sizeof *f->files);
        if (!files)
            return err_memory(err, "file names");
        f->files = files;
    }
    struct folder_file file = {strndup(name, length), join(folder, name)};
    f->files[f->count++] = file;
    return file.stem && file.path ? 0 : err_memory(err, "file names");
}

/* Which files are listed, and under which stems. */
struct listing {
    const char *path, *suffix; /* suffix NULL: of masks */
    size_t (*without)(const char *stem, size_t length);
};

static int add_entry(struct folder *f, const struct listing *listing, const char *name,
                     struct err *err)
{
    size_t length;
    names_stem(name, &length);
    if (!listing->suffix)
        return add(f, listing->path, name, listing->without(name, length), err);
    size_t end = strlen(listing->suffix);
    if (length < end || memcmp(name + length - end, listing->suffix, end) != 0)
        return 0;
    return add(f, listing->path, name, length - end, err);
}

static int by_stem(const void *a, const void *b)
{
    return strcmp(((const struct folder_file *)a)->stem, ((const struct folder_file *)b)->stem);
}

/* Whether the name has more before its ending than its stem. */
static bool has_suffix(const struct folder_file *file)
{
    size_t length;
    names_stem(file->path, &length);
    return length > strlen(file->stem);
}

/* Images that lie beside their masks. */
static void drop_images(struct folder *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        const struct folder_file *file = &f->files[i];
        bool beside = (kept > 0 && by_stem(file, &f->files[kept - 1]) == 0 &&
                       has_suffix(&f->files[kept - 1])) ||
                      (i + 1 < f->count && by_stem(file, file + 1) == 0 && has_suffix(file + 1));
        if (beside && !has_suffix(file)) {
            free(file->stem);
            free(file->path);
        } else {
            f->files[kept++] = *file;
        }
    }
    f->count = kept;
}

static int check_stems(const struct folder *f, struct err *err)
{
    for (size_t i = 0; i + 1 < f->count; i++)
        if (by_stem(&f->files[i], &f->files[i + 1]) == 0)
            return err_set(err, STATUS_DATA, "read '%s': '%s' has the same stem", f->files[i].path,
                           f->files[i + 1].path);
    return 0;
}

static int read_entries(struct folder *f, DIR *dir, const struct listing *listing, struct err *err)
{
    struct dirent *entry;
    while ((errno = 0, entry = readdir(dir)) != NULL)
        if (folder_is_image_name(entry->d_name) && add_entry(f, listing, entry->d_name, err))
            return -1;
    return errno ? err_errno(err, STATUS_IO, "read '%s'", listing->path) : 0;
}

static int list(struct folder *folder, const struct listing *listing, struct err *err)
{
    *folder = (struct folder){0};
    DIR *dir = opendir(listing->path);
    if (!dir)
        return err_errno(err, err_open_status(errno), "open '%s'", listing->path);
    int rc = read_entries(folder, dir, listing, err);
    closedir(dir);
    if (rc == 0 && folder->count > 0) {
        qsort(folder->files, folder->count, sizeof *folder->files, by_stem);
        if (!listing->suffix)
            drop_images(folder);
        rc = check_stems(folder, err);
    }
    if (rc)
        folder_free(folder);
    return rc;
}

int folder_list(struct folder *folder, const char *path, const char *suffix, struct err *err)
{
    return list(folder, &(struct listing){path, suffix, NULL}, err);
}

int folder_list_masks(struct folder *folder, const char *path,
                      size_t (*without)(const char *stem, size_t length), struct err *err)
{
    return list(folder, &(struct listing){path, NULL, without}, err);
}

void folder_free(struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        free(folder->files[i].stem);
        free(folder->files[i].path);
    }
    free(folder->files);
    *folder = (struct folder){0};
}

const struct folder_file *folder_find(const struct folder *folder, const char *stem)
{
    struct folder_file wanted = {.stem = (char *)stem};
    if (folder->count == 0)
        return NULL;
    return bsearch(&wanted, folder->files, folder->count, sizeof wanted, by_stem);
}
