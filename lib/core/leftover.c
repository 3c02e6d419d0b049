#include "core/leftover.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#include "core/names.h"

#define INFIX  ".tmp-"
#define RANDOM 6  /* characters of mkstemp(3) */
#define IDLE   60 /* seconds: more than lie between a file and its lock */

void leftover_hold(int fd)
{
    (void)flock(fd, LOCK_EX | LOCK_NB);
}

/* Of file systems that no other machine writes to. */
static bool locks_are_believed(int fd)
{
#ifdef __linux__
    static const unsigned long local[] = {0xef53 /* ext4 */,        0x58465342 /* XFS */,
                                          0x9123683e /* Btrfs */,   0x01021994 /* tmpfs */,
                                          0x794c7630 /* overlay */, 0xf2f52010 /* F2FS */};
    struct statfs st;
    for (size_t i = 0; fstatfs(fd, &st) == 0 && i < sizeof local / sizeof *local; i++)
        if (((unsigned long)st.f_type & 0xffffffff) == local[i])
            return true;
#else
    (void)fd;
#endif
    return false;
}

static bool is_idle(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
           st.st_uid == geteuid() && time(NULL) - st.st_mtime > IDLE;
}

static void remove_stale(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (is_idle(fd) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)unlinkat(folder, name, 0);
    close(fd);
}

static bool is_temporary_of(const char *name, const char *output, size_t length)
{
    return strncmp(name, output, length) == 0 &&
           strncmp(name + length, INFIX, strlen(INFIX)) == 0 &&
           strlen(name + length) == strlen(INFIX) + RANDOM;
}

/* Whether there are temporary files at all. */
static bool sweep_folder(DIR *dir, const char *output)
{
    bool some = false;
    size_t length = strlen(output);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        some |= strstr(entry->d_name, INFIX) != NULL;
        if (is_temporary_of(entry->d_name, output, length))
            remove_stale(dirfd(dir), entry->d_name);
    }
    return some;
}

void leftover_sweep(const char *output)
{
    static struct names clean; /* folders that have none: not looked through once an output */
    struct err ignored;
    char folder[PATH_MAX];
    const char *slash = strrchr(output, '/'), *name = slash ? slash + 1 : output;
    size_t length = slash ? (size_t)(slash - output) + 1 : 0;
    if (length >= sizeof folder)
        return;
    memcpy(folder, output, length);
    strcpy(folder + length, length ? "" : ".");
    if (names_has(&clean, folder))
        return;
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    bool is_clean = locks_are_believed(dirfd(dir)) && !sweep_folder(dir, name);
    closedir(dir);
    if (is_clean && names_add(&clean, folder, &ignored) < 0)
        return; /* it is looked through again */
}
