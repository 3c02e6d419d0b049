#define _GNU_SOURCE /* O_PATH */
#include "core/landlock.h"

#if defined(__linux__) && __has_include(<linux/landlock.h>)
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_LETTERS 8                   /* of options in one word, before the last one's argument */
#define TRUNCATE    (UINT64_C(1) << 14) /* LANDLOCK_ACCESS_FS_TRUNCATE, of version 3 */
#define CHANGES                                                                                    \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)
#define NEVER                                                                                      \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |    \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

struct rules {
    int fd;
    uint64_t changes; /* what this kernel tells apart */
};

/* Whether there is such a folder. */
static int allow(const struct rules *rules, const char *folder, uint64_t what)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = what & rules->changes,
                                              .parent_fd =
                                                  open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return 0;
    (void)syscall(SYS_landlock_add_rule, rules->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return 1;
}

/* The path, where it is a folder, else the nearest folder above it that is there. */
static void allow_around(const struct rules *rules, const char *path)
{
    char folder[PATH_MAX];
    if (!*path || strlen(path) >= sizeof folder)
        return;
    strcpy(folder, path);
    while (!allow(rules, folder, CHANGES | TRUNCATE)) {
        char *slash = strrchr(folder, '/');
        if (!slash) {
            allow(rules, ".", CHANGES | TRUNCATE);
            return;
        }
        slash[slash == folder] = '\0';
        if (slash == folder && !folder[1]) {
            allow(rules, "/", CHANGES | TRUNCATE);
            return;
        }
    }
}

static void allow_word(const struct rules *rules, const char *word)
{
    const char *equals = strchr(word, '=');
    if (word[0] != '-') {
        allow_around(rules, word);
    } else if (word[1] == '-') {
        if (equals)
            allow_around(rules, equals + 1);
    } else {
        for (size_t i = 2; i < MAX_LETTERS && word[1] && word[i]; i++) /* "-qoFILE" */
            allow_around(rules, word + i);
    }
}

static void allow_temporary(const struct rules *rules)
{
    const char *folder = getenv("TMPDIR");
    allow(rules, folder && *folder ? folder : "/var/tmp", CHANGES | TRUNCATE);
    allow(rules, "/tmp", CHANGES | TRUNCATE);
    allow(rules, "/dev", LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE);
}

void landlock_enter(char *const *words)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return;
    struct rules rules = {.changes = CHANGES | NEVER | (version >= 3 ? TRUNCATE : 0)};
    struct landlock_ruleset_attr handled = {.handled_access_fs = rules.changes};
    rules.fd = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules.fd < 0)
        return;
    for (; *words; words++)
        allow_word(&rules, *words);
    allow_temporary(&rules);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        (void)syscall(SYS_landlock_restrict_self, rules.fd, 0);
    close(rules.fd);
}
#else
void landlock_enter(char *const *words)
{
    (void)words;
}
#endif
