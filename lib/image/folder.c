#include "image/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_image_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    static const char *const endings[] = {".png", ".tif", ".tiff", ".jpg", ".jpeg"};
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

static int add(struct folder *f, const char *folder, const char *name, const char *suffix,
               struct err *err)
{
    size_t stem = (size_t)(strrchr(name, '.') - name), end = strlen(suffix);
    if (stem < end || memcmp(name + stem - end, suffix, end) != 0)
        return 0;
    if ((f->count & (f->count - 1)) == 0) {
        void *files = realloc(f->files, 2 * (f->count + 1) * sizeof *f->files);
        if (!files)
            return err_memory(err, "file names");
        f->files = files;
    }
    struct folder_file file = {strndup(name, stem - end), join(folder, name)};
    f->files[f->count++] = file;
    return file.stem && file.path ? 0 : err_memory(err, "file names");
}

static int by_stem(const void *a, const void *b)
{
    return strcmp(((const struct folder_file *)a)->stem, ((const struct folder_file *)b)->stem);
}

static int check_stems(const struct folder *f, struct err *err)
{
    for (size_t i = 0; i + 1 < f->count; i++)
        if (by_stem(&f->files[i], &f->files[i + 1]) == 0)
            return err_set(err, STATUS_DATA, "read '%s': '%s' has the same stem", f->files[i].path,
                           f->files[i + 1].path);
    return 0;
}

static int read_entries(struct folder *f, DIR *dir, const char *path, const char *suffix,
                        struct err *err)
{
    struct dirent *entry;
    while ((errno = 0, entry = readdir(dir)) != NULL)
        if (is_image_name(entry->d_name) && add(f, path, entry->d_name, suffix, err))
            return -1;
    return errno ? err_errno(err, STATUS_IO, "read '%s'", path) : 0;
}

int folder_list(struct folder *folder, const char *path, const char *suffix, struct err *err)
{
    *folder = (struct folder){0};
    DIR *dir = opendir(path);
    if (!dir)
        return err_errno(err, err_open_status(errno), "open '%s'", path);
    int rc = read_entries(folder, dir, path, suffix, err);
    closedir(dir);
    if (rc == 0 && folder->count > 0) {
        qsort(folder->files, folder->count, sizeof *folder->files, by_stem);
        rc = check_stems(folder, err);
    }
    if (rc)
        folder_free(folder);
    return rc;
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
