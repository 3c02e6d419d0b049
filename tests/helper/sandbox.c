/* Tries what a decoder of images has no use for, after sandbox_enter: a line for each that
 * succeeds, "runs on" when the rest still works. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
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

int main(void)
{
    pthread_t thread;
    sandbox_enter();
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
        puts("socket");
    if (start_program() == 0)
        puts("program");
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
        puts("ptrace");
    FILE *file = tmpfile();
    if (file && fputs("text", file) >= 0 && fclose(file) == 0 &&
        pthread_create(&thread, NULL, in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0)
        puts("runs on");
    return 0;
}
