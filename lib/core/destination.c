#include "core/destination.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/guard.h"

bool path_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int folder_make(const char *path, struct err *err)
{
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && path_is_folder(path)))
        return 0;
    if (errno == EEXIST)
        errno = ENOTDIR; /* as for a path that ends in a slash */
    return err_errno(err, STATUS_CREATE, "create '%s'", path);
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
    return folder_make(path, err);
}

bool destination_is_stdout(const struct destination *destination)
{
    return strcmp(destination->path, "-") == 0;
}

int destination_file(const struct destination *destination, const char *stem, const char *source,
                     const char *ending, char *path, size_t size, struct err *err)
{
    const char *folder = destination->path, *end = folder + strlen(folder);
    const char *slash = end[-1] == '/' ? "" : "/";
    int written = destination->is_folder ? snprintf(path, size, "%s%s%s%s.%s", folder, slash, stem,
                                                    destination->suffix, ending)
                                         : snprintf(path, size, "%s", folder);
    if (written < 0 || (size_t)written >= size)
        return err_set(err, STATUS_CREATE, "create '%s': a file name that is too long", stem);
    return destination->is_folder ? guard_made_up(path, source, err) : 0;
}
