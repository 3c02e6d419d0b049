#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/internal.h"
#include "core/cpu.h"
#include "core/notice.h"
#include "core/outfile.h"
#include "core/sandbox.h"

struct cli_state cli_state;

static int help(const char *unused, struct err *err)
{
    (void)unused, (void)err;
    cli_print_help();
}

static int version(const char *unused, struct err *err)
{
    (void)unused, (void)err;
    cli_print_version();
}

static int list(const char *unused, struct err *err)
{
    (void)unused, (void)err;
    cli_list_options();
}

const struct cli_option cli_common_options[] = {
    {'q', "quiet", NULL, "no progress on standard error", CLI_FLAG(cli_state.quiet)},
    {'h', "help", NULL, "print this help", CLI_CALL(help)},
    {'V', "version", NULL, "print the version", CLI_CALL(version)},
    {0, "list-options", NULL, NULL, CLI_CALL(list)},
    {0},
};

/* ---- start and end ---- */

/* Those of a library's own fault, too: it leaves no temporary file. */
static void on_fatal_signal(int number)
{
    outfile_remove_all();
    signal(number, SIG_DFL);
    raise(number);
}

static void reset_signals(void)
{
    static const int fatal[] = {SIGHUP,  SIGINT,  SIGTERM, SIGPIPE, SIGXCPU,
                                SIGXFSZ, SIGSEGV, SIGBUS,  SIGFPE,  SIGABRT};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, SIG_DFL);
    struct sigaction action = {.sa_handler = on_fatal_signal};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        sigaction(fatal[i], &action, NULL);
}

/* Libraries end programs: libarchive does when an allocation of its own fails. */
static void on_exit_of_others(void)
{
    if (cli_state.ends)
        return;
    outfile_remove_all();
    cli_warn("a library has ended the program, as it does without memory");
    _exit(STATUS_MEMORY);
}

/* Several programs write to one terminal or log at once: a message is one write. */
static void write_lines_whole(void)
{
    static char line[1 << 16];
    (void)setvbuf(stderr, line, _IOLBF, sizeof line);
}

/* A closed standard descriptor would be given to the next file opened, and
 * messages would end up in it. */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

static bool is_plain_word(const char *word)
{
    for (const char *p = word; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_-+=:,./%@", *p))
            return false;
    return *word;
}

static void append_quoted(char *line, const char *word)
{
    if (is_plain_word(word)) {
        strcat(line, word);
        return;
    }
    char *p = line + strlen(line);
    *p++ = '\'';
    for (; *word; word++) {
        if (*word == '\'') {
            memcpy(p, "'\\'", 3);
            p += 3;
        }
        *p++ = *word;
    }
    *p++ = '\'';
    *p = '\0';
}

static char *join_command_line(int argc, char **argv)
{
    size_t size = strlen(cli_state.program->name) + 1;
    for (int i = 1; i < argc; i++)
        size += 4 * strlen(argv[i]) + 3;
    char *line = malloc(size);
    if (!line)
        cli_die(STATUS_MEMORY, "out of memory for the command line");
    strcpy(line, cli_state.program->name);
    char *end = line + strlen(line);
    for (int i = 1; i < argc; i++) {
        strcpy(end, " ");
        append_quoted(end, argv[i]);
        end += strlen(end);
    }
    return line;
}

/* What the program was called, where that ends in its name: "ms-tile". */
static const char *called(const char *path, const char *name)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *base = slash ? slash + 1 : path;
    size_t length = base ? strlen(base) : 0, end = strlen(name);
    return length > end && strcmp(base + length - end, name) == 0 ? base : name;
}

void cli_start(const struct cli_program *program, int argc, char **argv)
{
    cli_state.program = program;
    cli_state.name = called(argv[0], program->name);
    reset_signals();
    (void)atexit(on_exit_of_others);
    fill_standard_descriptors();
    write_lines_whole();
    notice_to(cli_print_notice);
    cli_state.command_line = join_command_line(argc, argv);
    cli_state.words = argv + 1;
    cli_read_options(argc, argv);
    struct err err;
    if (cpu_check_limit(&err))
        cli_die_err(&err);
    if (!program->calls_out)
        cli_enter_sandbox();
}

void cli_enter_sandbox(void)
{
    sandbox_enter(cli_state.words);
}

int cli_finish(enum status status)
{
    cli_end_progress();
    if (ferror(stdout) | fflush(stdout))
        cli_die(STATUS_IO, "write 'standard output': %s", strerror(errno));
    if (close(STDOUT_FILENO) && errno != EBADF)
        cli_die(STATUS_IO, "close 'standard output': %s", strerror(errno));
    cli_state.ends = true;
    return (int)status;
}

/* ---- operands ---- */

char **cli_operands(void)
{
    return cli_state.operands;
}

int cli_operand_count(void)
{
    return cli_state.operand_count;
}

char **cli_inputs(void)
{
    static char standard_input[] = "-", *only[] = {standard_input, NULL};
    return cli_state.operand_count ? cli_state.operands : only;
}

const char *cli_only_input(void)
{
    if (cli_state.operand_count > 1)
        cli_die_usage("one stream at most; 'cat' joins several");
    return *cli_inputs();
}

const char *cli_command_line(void)
{
    return cli_state.command_line;
}

/* ---- terminals ---- */

void cli_refuse_terminal(const char *what)
{
    if (isatty(STDOUT_FILENO))
        cli_die_usage("%s is not for a terminal; use a pipe, a redirection or -o", what);
}

void cli_refuse_terminal_for(const char *path, const char *what)
{
    if (strcmp(path, "-") == 0)
        cli_refuse_terminal(what);
}
