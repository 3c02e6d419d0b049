/* Tries what a decoder of images has no use for, after sandbox_enter with the arguments: a line
 * for each that succeeds, "runs on" when the rest still works.  $FORBIDDEN: a file to make.
 * `sandbox --landlock` exits 0 where the kernel has it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sandbox.h"

/* 0 when it may be started. */
static int start_program(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    return child < 0 || waitpid(child, &status, 0) != child ? -1 : status;
}

static void *in_thread(void *unused)
{
    (void)unused;
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
        puts("socket in a thread");
    return NULL;
}

static void make_file(void)
{
    const char *path = getenv("FORBIDDEN");
    if (path && open(path, O_WRONLY | O_CREAT, 0600) >= 0)
        puts("file");
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc > 1 && strcmp(argv[1], "--landlock") == 0)
        return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1;
    sandbox_enter(argv + 1);
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
        puts("socket");
    if (start_program() == 0)
        puts("program");
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
        puts("ptrace");
    make_file();
    FILE *file = tmpfile();
    if (file && fputs("text", file) >= 0 && fclose(file) == 0 &&
        pthread_create(&thread, NULL, in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0)
        puts("runs on");
    return 0;
}
