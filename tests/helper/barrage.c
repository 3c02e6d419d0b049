/* Runs a program again and again, each time with something wrong, and judges every run:
 *
 *     barrage cut STEP FILE -- COMMAND...     a file of which only the first bytes are there
 *     barrage flip STEP FILE -- COMMAND...    one byte of it changed
 *     barrage file FILE... -- COMMAND...      files that are none, or that somebody else made
 *     barrage fail CALL ERRNO MAX -- ...      the Nth call fails, with "+" after ERRNO all from
 *                                             the Nth on ($INJECT, tests/fault/inject.c)
 *     barrage kill COUNT -- COMMAND...        SIGKILL sometime
 *     barrage disk PAGES -- COMMAND...        the folder is a disk of 1, 2, ... pages
 *
 * COMMAND runs in a new folder below $TMP and writes there; the file is its standard input, or
 * its path stands for {} in COMMAND.  With STRICT=1 an exit of 0 is wrong whatever was written,
 * else when that is not what the command writes when nothing is wrong.  Prints a row, numbers
 * between tabs: runs, ended by a signal, did not end in 20 s of a processor, wrong outputs with
 * exit 0, half a file under a final name, temporary files left, and no message, or one without the
 * program's name or without that of the file at fault (libarchive's own last words may stand
 * beside it); and a line "# ..." for the first of each. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_OUTPUTS 8
#define MAX_KINDS   6
#define SECONDS     20 /* of a processor, for a run */

static struct output {
    char name[256];
    uint64_t hash;
} good[MAX_OUTPUTS];
static int good_count;

enum { SIGNALS, HANGS, WRONG, HALF, TEMPORARIES, MESSAGES };
static const char *const kinds[MAX_KINDS] = {
    "ended by a signal",         "does not end",
    "exit 0 and a wrong output", "half a file",
    "a temporary file is left",  "not one line of message"};
extern char **environ;
static long runs, counts[MAX_KINDS];
static char folder[4096], file[4096 + 16], errors[4096 + 16], output[4096 + 16];
static char **command;
static uint64_t good_output;
static bool strict, may_leave, any_output, file_is_wrong;
static int (*inside)(int, char **, char **); /* main of the program: tests/fault/inside.c */

static void die(const char *what)
{
    perror(what);
    exit(2);
}

/* ---- files ---- */

static uint64_t hash_file(int folder_fd, const char *name)
{
    static unsigned char bytes[65536];
    uint64_t hash = 14695981039346656037u;
    int fd = openat(folder_fd, name, O_RDONLY);
    for (ssize_t n; fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            hash = (hash ^ bytes[i]) * 1099511628211u;
    if (fd >= 0)
        close(fd);
    return hash;
}

static void put_file(const char *path, const unsigned char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || close(fd))
        die(path);
}

static unsigned char *get_file(const char *path, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st))
        die(path);
    unsigned char *bytes = malloc((size_t)st.st_size + 1);
    *size = (size_t)st.st_size;
    if (!bytes || read(fd, bytes, *size) != st.st_size)
        die(path);
    close(fd);
    return bytes;
}

static const struct output *find_good(const char *name)
{
    for (int i = 0; i < good_count; i++)
        if (strcmp(good[i].name, name) == 0)
            return &good[i];
    return NULL;
}

/* Calls it for every file of the run's folder. */
static void each_file(void (*call)(int, const char *))
{
    DIR *dir = opendir(folder);
    if (!dir)
        die(folder);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            call(dirfd(dir), entry->d_name);
    closedir(dir);
}

static void note_good(int fd, const char *name)
{
    if (name[0] == '.') /* times are in it */
        return;
    if (good_count == MAX_OUTPUTS)
        die("too many outputs");
    snprintf(good[good_count].name, sizeof good->name, "%s", name);
    good[good_count++].hash = hash_file(fd, name);
}

static void remove_file(int fd, const char *name)
{
    if (unlinkat(fd, name, 0) && unlinkat(fd, name, AT_REMOVEDIR))
        die(name);
}

static int same, half, left;

static void compare(int fd, const char *name)
{
    const struct output *expected = find_good(name);
    if (strstr(name, ".tmp-"))
        left++;
    else if (expected && hash_file(fd, name) == expected->hash)
        same++;
    else if (name[0] != '.' && strcmp(name, "stdout") != 0)
        half++;
}

/* ---- a run ---- */

/* Before what libraries do at exit, which takes long and does nothing for the outputs. */
static void leave(int status, void *unused)
{
    (void)unused;
    fflush(NULL);
    _exit(status);
}

static void start(void)
{
    static char *words[256];
    int n = 0;
    for (; command[n] && n < 255; n++)
        words[n] = strcmp(command[n], "{}") == 0 ? file : command[n];
    words[n] = NULL;
    struct rlimit processor = {SECONDS, SECONDS + 1};
    int in = open(access(file, R_OK) ? "/dev/null" : file, O_RDONLY);
    int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int err = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0 || err < 0 || chdir(folder) || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
        dup2(err, 2) < 0 || setrlimit(RLIMIT_CPU, &processor))
        _exit(126);
    if (inside) {
        on_exit(leave, NULL);
        exit(inside(n, words, environ));
    }
    execvp(words[0], words);
    _exit(127);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void on_alarm(int number)
{
    (void)number;
}

/* Its status; *hangs when it had to be killed, after `seconds`. */
static int run(double seconds, bool *hangs)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        start();
    struct timespec wait = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_t timer;
    if (child < 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) ||
        timer_settime(timer, 0, &(struct itimerspec){.it_value = wait}, NULL))
        die("fork");
    *hangs = waitpid(child, &status, 0) < 0;
    timer_delete(timer);
    if (*hangs) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    return status;
}

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* Whether there is a message, every line of it begins with the program's name, and, where a file
 * is at fault, something is named. */
static bool explains(void)
{
    size_t size;
    int ours = 0;
    char *text = (char *)get_file(errors, &size);
    text[size] = '\0';
    bool fine = size > 0 && text[size - 1] == '\n' && (!file_is_wrong || strchr(text, '\''));
    for (char *line = text, *end; fine && *line; line = end + 1) {
        bool named = begins(line, command[0]) && begins(line + strlen(command[0]), ": ");
        end = strchr(line, '\n');
        ours += named;
        fine = named || begins(line, "Fatal Internal Error in libarchive: ");
    }
    free(text);
    return fine && ours;
}

static void count(int kind, const char *what)
{
    if (counts[kind]++ == 0)
        printf("# %s: %s: %s\n", command[0], kinds[kind], what);
}

static void judge_files(bool done, const char *what)
{
    same = half = left = 0;
    each_file(compare);
    if (done && (strict || (!any_output && (same < good_count || half ||
                                            hash_file(AT_FDCWD, output) != good_output))))
        count(WRONG, what);
    if (!done && half)
        count(HALF, what);
    if (left && !may_leave)
        count(TEMPORARIES, what);
}

/* A command that is wrong itself has not been attacked. */
static void check_command(int status)
{
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 64 || WEXITSTATUS(status) >= 126)) {
        fprintf(stderr, "barrage: %s is no command: %s\n", command[0], errors);
        exit(2);
    }
}

static void attack(const char *what)
{
    bool hangs;
    int status = run(20.0 * SECONDS, &hangs); /* others may compute, too */
    runs++;
    check_command(status);
    if (hangs || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
        count(HANGS, what);
    else if (WIFSIGNALED(status))
        count(SIGNALS, what);
    else if (WEXITSTATUS(status) && !explains())
        count(MESSAGES, what);
    judge_files(WIFEXITED(status) && WEXITSTATUS(status) == 0, what);
    each_file(remove_file);
}

/* ---- what is wrong ---- */

static double run_well(void)
{
    bool hangs;
    double begin = now();
    int status = run(600, &hangs);
    if (hangs || !WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "barrage: %s fails when nothing is wrong: %s\n", command[0], errors);
        exit(2);
    }
    double seconds = now() - begin;
    each_file(note_good);
    good_output = hash_file(AT_FDCWD, output);
    each_file(remove_file);
    return seconds;
}

static void attack_bytes(bool flips, size_t step, const char *path)
{
    size_t size;
    char what[64];
    unsigned char *bytes = get_file(path, &size);
    put_file(file, bytes, size);
    file_is_wrong = true;
    run_well();
    for (size_t at = 0; at < size; at += step) {
        unsigned char mask = (unsigned char)(1u << at * 7 % 8);
        snprintf(what, sizeof what, "%s %zu", flips ? "byte" : "cut at", at);
        bytes[at] ^= flips ? mask : 0;
        put_file(file, bytes, flips ? size : at);
        attack(what);
        bytes[at] ^= flips ? mask : 0;
    }
    free(bytes);
}

static void attack_files(char **paths)
{
    any_output = file_is_wrong = true;
    for (; strcmp(*paths, "--") != 0; paths++) {
        size_t size;
        unsigned char *bytes = get_file(*paths, &size);
        put_file(file, bytes, size);
        free(bytes);
        attack(*paths);
    }
}

static void attack_calls(const char *call, const char *number, long most)
{
    char fault[64], reached[4096 + 16];
    snprintf(reached, sizeof reached, "%s.reached", folder);
    run_well();
    setenv("FAULT_REACHED", reached, 1);
    setenv("LD_PRELOAD", getenv("INJECT"), 1);
    for (long n = 1; n <= most; n++) {
        snprintf(fault, sizeof fault, "%s %ld %s", call, n, number);
        setenv("FAULT", fault, 1);
        unlink(reached);
        attack(fault);
        if (access(reached, F_OK)) {
            runs--; /* nothing was wrong */
            break;
        }
    }
    unlink(reached);
}

/* As if it had been left a while ago: what is new may be of a program that runs. */
static void age(int fd, const char *name)
{
    struct timespec then[2] = {{.tv_sec = time(NULL) - 3600}, {.tv_sec = time(NULL) - 3600}};
    (void)utimensat(fd, name, then, 0);
}

/* What is left of killed runs is judged after one that is not. */
static void attack_by_kill(long most)
{
    bool hangs;
    char what[64];
    double whole = run_well();
    may_leave = true;
    for (long n = 0; n < most; n++) {
        double seconds = 1e-4 + 1.1 * whole * (double)(rand() % 10000) / 10000;
        int status = run(seconds, &hangs);
        runs++;
        snprintf(what, sizeof what, "killed after %.4f s", seconds);
        judge_files(WIFEXITED(status) && WEXITSTATUS(status) == 0, what);
        if (!hangs && WIFSIGNALED(status))
            count(SIGNALS, what);
    }
    may_leave = false;
    each_file(age);
    attack("what was left by kills");
}

static void attack_by_disk(long most)
{
    char options[64];
    snprintf(output, sizeof output, "%s/stdout", folder);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=16m"))
        die("mount");
    run_well();
    for (long pages = 1; pages <= most; pages++) {
        snprintf(options, sizeof options, "size=%ldk", pages * 4);
        if (mount("tmpfs", folder, "tmpfs", MS_REMOUNT, options))
            die("mount");
        attack(options);
    }
    umount(folder);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_alarm};
    snprintf(folder, sizeof folder, "%s/barrage-XXXXXX", getenv("TMP") ? getenv("TMP") : "/tmp");
    for (int i = 2; i < argc && !command; i++)
        command = strcmp(argv[i], "--") == 0 ? argv + i + 1 : NULL;
    if (!command || !*command || !mkdtemp(folder) || sigaction(SIGALRM, &action, NULL))
        return 64;
    snprintf(file, sizeof file, "%s.in", folder);
    snprintf(errors, sizeof errors, "%s.err", folder);
    snprintf(output, sizeof output, "%s.out", folder);
    strict = getenv("STRICT") && *getenv("STRICT") == '1';
    if (strcmp(argv[1], "cut") == 0 || strcmp(argv[1], "flip") == 0)
        attack_bytes(argv[1][0] == 'f', (size_t)atol(argv[2]), argv[3]);
    else if (strcmp(argv[1], "file") == 0)
        attack_files(argv + 2);
    else if (strcmp(argv[1], "fail") == 0)
        attack_calls(argv[2], argv[3], atol(argv[4]));
    else if (strcmp(argv[1], "kill") == 0)
        attack_by_kill(atol(argv[2]));
    else if (strcmp(argv[1], "disk") == 0)
        attack_by_disk(atol(argv[2]));
    else
        return 64;
    unlink(file), unlink(errors), unlink(output), rmdir(folder);
    printf("%ld", runs);
    for (int i = 0; i < MAX_KINDS; i++)
        printf("\t%ld", counts[i]);
    printf("\n");
    return 0;
}
