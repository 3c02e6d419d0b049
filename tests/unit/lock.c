/* core/lock.h: one process at a time, and what is no lock stays what it is. */
#include "core/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tap.h"

static char folder[] = "/tmp/lock-test-XXXXXX", path[100];

static bool is_there(void)
{
    return access(path, F_OK) == 0;
}

/* The status of taking it, and the message. */
static enum status try_to_take(struct err *err)
{
    struct lock *lock = NULL;
    *err = (struct err){0};
    if (lock_take(&lock, path, "trains into it", err))
        return err->status;
    lock_free(lock);
    return STATUS_OK;
}

static enum status status_in_another_process(void)
{
    struct err err;
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit((int)try_to_take(&err));
    waitpid(child, &status, 0);
    return (enum status)WEXITSTATUS(status);
}

static void test_two(void)
{
    struct err err;
    struct lock *lock = NULL;
    ok(lock_take(&lock, path, "trains into it", &err) == 0 && is_there(), "taken");
    is_int(status_in_another_process(), STATUS_CREATE, "another process is refused");
    is_int(try_to_take(&err), STATUS_CREATE, "so is this one a second time");
    ok(strstr(err.message, path) && strstr(err.message, "another process trains into it"),
       "with a word: %s", err.message);
    ok(is_there(), "and the lock is still there");
    lock_free(lock);
    ok(!is_there(), "let go, it is gone");
    is_int(status_in_another_process(), STATUS_OK, "and anybody's");
    lock_free(NULL);
}

/* As a kill leaves it: the file, which nobody holds. */
static void test_left(void)
{
    FILE *file = fopen(path, "w");
    is_int(file ? fclose(file) : -1, 0, "a file that a kill left");
    is_int(status_in_another_process(), STATUS_OK, "is taken");
}

static void test_others(void)
{
    struct err err;
    struct stat st;
    FILE *file = fopen(path, "w");
    bool written = file && fputs("text", file) >= 0 && fclose(file) == 0;
    ok(written && try_to_take(&err) == STATUS_CREATE, "a file with something in it is no lock");
    ok(stat(path, &st) == 0 && st.st_size == 4, "and stays as it is");
    unlink(path);
    ok(symlink("/dev/null", path) == 0 && try_to_take(&err) == STATUS_CREATE,
       "nor is a symbolic link: %s", err.message);
    unlink(path);
    ok(mkdir(path, 0700) == 0 && try_to_take(&err) == STATUS_CREATE, "nor a folder: %s",
       err.message);
    rmdir(path);
    ok(mkfifo(path, 0600) == 0 && try_to_take(&err) == STATUS_CREATE, "nor a pipe: %s",
       err.message);
    unlink(path);
    snprintf(path, sizeof path, "%s/none/lock", folder);
    ok(try_to_take(&err) == STATUS_CREATE && strstr(err.message, "No such file"),
       "nor is there one in a folder that is not there");
}

int main(void)
{
    tap_plan(15);
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/lock", folder);
    test_two();
    test_left();
    test_others();
    rmdir(folder);
    return tap_done();
}
