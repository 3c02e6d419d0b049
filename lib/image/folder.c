#include "image/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/growing.h"
#include "core/names.h"

static bool is_image_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    static const char *const endings[] = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".lsm", ".stk",
                                          ".btf", ".svs", ".ndpi", ".scn", ".mrxs", ".bif"};
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return name[0] != '.';
    return false;
}

static bool is_array_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && name[0] != '.' && (strcmp(dot, ".npy") == 0 || strcmp(dot, ".npz") == 0);
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
    if (growing_room(&f->files, f->count, sizeof *f->files, err))
        return -1;
    struct folder_file file = {strndup(name, length), join(folder, name)};
    f->files[f->count++] = file;
    return file.stem && file.path ? 0 : err_memory(err, "file names");
}

/* Which files are listed, and under which stems. */
struct listing {
    const char *path, *suffix; /* suffix NULL: of masks */
    size_t (*without)(const char *stem, size_t length);
};

/* Whether its name says so, which an image's needs not. */
static bool is_mask(const struct listing *listing, const char *name, size_t length)
{
    return listing->suffix ? *listing->suffix : listing->without(name, length) < length;
}

static int add_entry(struct folder *f, const struct listing *listing, const char *name,
                     struct err *err)
{
    size_t length;
    names_stem(name, &length);
    if (is_array_name(name) && !is_mask(listing, name, length))
        return 0;
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

/* Of files of one stem a mask, which has more before its ending, counts more than the image
 * beside it, and a picture of it more than Cellpose's own file. */
static int rank(const struct folder_file *file)
{
    size_t length;
    const char *name = names_stem(file->path, &length);
    return length == strlen(file->stem) ? 0 : is_array_name(name) ? 1 : 2;
}

/* Keeps those that count most of each stem. */
static void drop_others(struct folder *f)
{
    size_t kept = 0;
    for (size_t i = 0, end; i < f->count; i = end) {
        int most = 0;
        for (end = i; end < f->count && by_stem(&f->files[i], &f->files[end]) == 0; end++)
            most = rank(&f->files[end]) > most ? rank(&f->files[end]) : most;
        for (size_t k = i; k < end; k++) {
            if (rank(&f->files[k]) == most) {
                f->files[kept++] = f->files[k];
            } else {
                free(f->files[k].stem);
                free(f->files[k].path);
            }
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
        if ((is_image_name(entry->d_name) || is_array_name(entry->d_name)) &&
            add_entry(f, listing, entry->d_name, err))
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
        drop_others(folder);
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

int folder_find_image(const char *folder, const char *name, char *path, size_t room,
                      struct err *err)
{
    size_t stem, length;
    const char *base = names_stem(name, &stem);
    DIR *dir = opendir(folder);
    if (!dir)
        return err_set(err, STATUS_NO_INPUT, "read '%s': not a folder", folder);
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(dir));) {
        names_stem(entry->d_name, &length);
        found = length == stem && strncmp(entry->d_name, base, stem) == 0 &&
                is_image_name(entry->d_name);
        if (found)
            found = snprintf(path, room, "%s/%s", folder, entry->d_name) < (int)room;
    }
    closedir(dir);
    if (!found)
        return err_set(err, STATUS_NO_INPUT, "no image '%.*s' in '%s'", (int)stem, base, folder);
    return 0;
}
