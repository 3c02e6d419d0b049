#include "core/destination.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/names.h"

bool path_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int destination_set(struct destination *destination, const char *path, const char *suffix,
                    struct err *err)
{
    size_t length = strlen(path);
    *destination = (struct destination){path, suffix, path_is_folder(path)};
    if (length == 0)
        return err_set(err, STATUS_USAGE, "an output with an empty name");
    if (strchr(suffix, '/'))
        return err_set(err, STATUS_USAGE, "'%s': a suffix with a slash", suffix);
    if (destination->is_folder || path[length - 1] != '/')
        return 0;
    destination->is_folder = true;
    return mkdir(path, 0777) ? err_errno(err, STATUS_CREATE, "create '%s'", path) : 0;
}

bool destination_is_stdout(const struct destination *destination)
{
    return strcmp(destination->path, "-") == 0;
}

static int file_of(const struct destination *d, const char *stem, size_t length, const char *ending,
                   char *path, size_t size, struct err *err)
{
    const char *end = d->path + strlen(d->path), *slash = end[-1] == '/' ? "" : "/";
    int written = d->is_folder ? snprintf(path, size, "%s%s%.*s%s.%s", d->path, slash, (int)length,
                                          stem, d->suffix, ending)
                               : snprintf(path, size, "%s", d->path);
    return written < 0 || (size_t)written >= size
               ? err_set(err, STATUS_CREATE, "a file name that is too long")
               : 0;
}

int destination_file(const struct destination *destination, const char *source, const char *ending,
                     char *path, size_t size, struct err *err)
{
    size_t stem;
    const char *base = names_stem(source, &stem);
    if (destination->is_folder && (stem == 0 || strcmp(base, ".") == 0 || strcmp(base, "..") == 0))
        return err_set(err, STATUS_CREATE, "'%s' gives a file no name", source);
    return file_of(destination, base, stem, ending, path, size, err);
}

int destination_file_of_stem(const struct destination *destination, const char *stem,
                             const char *ending, char *path, size_t size, struct err *err)
{
    return file_of(destination, stem, strlen(stem), ending, path, size, err);
}
