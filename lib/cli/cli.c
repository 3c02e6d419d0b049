#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/num.h"
#include "core/outfile.h"

#define MAX_OPTIONS 64

static struct {
    const struct cli_program *program;
    int argc;
    char **argv;
    char letters[2 * MAX_OPTIONS + 8];
    struct option longs[MAX_OPTIONS + 4];
    const char *current; /* the option whose argument is in optarg, for messages */
    char current_letter[3];
    char *command_line;
    bool quiet;
    bool progress_shown;
} cli;

static const struct cli_option common_options[] = {
    {'q', "quiet", NULL, "no progress on standard error"},
    {'h', "help", NULL, "print this help"},
    {'V', "version", NULL, "print the version"},
    {0},
};

/* ---- messages ---- */

static void end_progress_line(void)
{
    if (cli.progress_shown)
        fputs("\r\033[K", stderr);
    cli.progress_shown = false;
}

static void print_message(const char *format, va_list args)
{
    end_progress_line();
    fprintf(stderr, "%s: ", cli.program->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void cli_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message(format, args);
    va_end(args);
}

void cli_warn_err(const struct err *err)
{
    cli_warn("%s", err->message);
}

static noreturn void leave(enum status status)
{
    outfile_remove_all();
    exit(status);
}

void cli_die(enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message(format, args);
    va_end(args);
    leave(status);
}

void cli_die_err(const struct err *err)
{
    cli_warn_err(err);
    leave(err->status);
}

void cli_die_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char message[400];
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    cli_warn("%s (see '%s --help')", message, cli.program->name);
    leave(STATUS_USAGE);
}

/* ---- start and end ---- */

static void on_fatal_signal(int number)
{
    outfile_remove_all();
    signal(number, SIG_DFL);
    raise(number);
}

static void reset_signals(void)
{
    static const int fatal[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXCPU, SIGXFSZ};
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

/* A closed standard descriptor would be given to the next file opened, and
 * messages would end up in it. */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

static void add_options(const struct cli_option *option, int *count, char *letters)
{
    for (; option->value; option++) {
        if (*count >= MAX_OPTIONS)
            abort();
        cli.longs[(*count)++] = (struct option){
            option->name, option->argument ? required_argument : no_argument, NULL, option->value};
        if (option->value < CLI_LONG_ONLY) {
            char letter[] = {(char)option->value, option->argument ? ':' : '\0', '\0'};
            strcat(letters, letter);
        }
    }
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
    size_t size = strlen(cli.program->name) + 1;
    for (int i = 1; i < argc; i++)
        size += 4 * strlen(argv[i]) + 3;
    char *line = malloc(size);
    if (!line)
        cli_die(STATUS_MEMORY, "out of memory for the command line");
    strcpy(line, cli.program->name);
    char *end = line + strlen(line);
    for (int i = 1; i < argc; i++) {
        strcpy(end, " ");
        append_quoted(end, argv[i]);
        end += strlen(end);
    }
    return line;
}

void cli_start(const struct cli_program *program, int argc, char **argv)
{
    int count = 0;
    cli.program = program;
    cli.argc = argc;
    cli.argv = argv;
    reset_signals();
    fill_standard_descriptors();
    strcpy(cli.letters, "+:"); /* operands end the options; a missing argument is ours to report */
    add_options(program->options, &count, cli.letters);
    add_options(common_options, &count, cli.letters);
    cli.command_line = join_command_line(argc, argv);
    opterr = 0;
}

int cli_finish(enum status status)
{
    end_progress_line();
    if (ferror(stdout) | fflush(stdout))
        cli_die(STATUS_IO, "write 'standard output': %s", strerror(errno));
    if (close(STDOUT_FILENO) && errno != EBADF)
        cli_die(STATUS_IO, "close 'standard output': %s", strerror(errno));
    return (int)status;
}

/* ---- help ---- */

static void print_options(const struct cli_option *option)
{
    for (; option->value; option++) {
        char left[64];
        char letter[] = {'-', (char)option->value, ',', '\0'};
        snprintf(left, sizeof left, "%3s --%s%s%s", option->value < CLI_LONG_ONLY ? letter : "",
                 option->name, option->argument ? " " : "",
                 option->argument ? option->argument : "");
        printf("  %-32s %s\n", left, option->help);
    }
}

static noreturn void print_help(void)
{
    const struct cli_program *p = cli.program;
    printf("%s - %s\n\nusage: %s %s\n\n", p->name, p->purpose, p->name, p->synopsis);
    print_options(p->options);
    print_options(common_options);
    if (p->notes)
        printf("\n%s\n", p->notes);
    exit(cli_finish(STATUS_OK));
}

static noreturn void print_version(void)
{
    printf("%s (MorphoSeg in C) %s\n", cli.program->name, MORPHOSEG_VERSION);
    exit(cli_finish(STATUS_OK));
}

/* ---- options ---- */

static void remember_option(int value, int index)
{
    if (index >= 0) {
        cli.current = cli.longs[index].name;
        return;
    }
    cli.current_letter[0] = (char)value;
    cli.current = cli.current_letter;
}

/* How the user wrote the option that getopt did not like. */
static const char *offending_option(void)
{
    static char letter[3] = "-?";
    const char *word = optind > 0 ? cli.argv[optind - 1] : "";
    if (strncmp(word, "--", 2) == 0)
        return word;
    letter[1] = (char)optopt;
    return letter;
}

int cli_next_option(void)
{
    int index = -1;
    int value = getopt_long(cli.argc, cli.argv, cli.letters, cli.longs, &index);
    switch (value) {
    case 'h':
        print_help();
    case 'V':
        print_version();
    case 'q':
        cli.quiet = true;
        return cli_next_option();
    case '?':
        cli_die_usage("unknown option '%s'", offending_option());
    case ':':
        cli_die_usage("option '%s' needs an argument", offending_option());
    default:
        remember_option(value, index);
        return value;
    }
}

const char *cli_argument(void)
{
    return optarg;
}

static noreturn void die_bad_argument(const char *reason)
{
    cli_die_usage("option '%s%s': %s", cli.current[1] ? "--" : "-", cli.current, reason);
}

int64_t cli_int(int64_t min, int64_t max)
{
    int64_t value;
    struct err err;
    if (num_int(optarg, min, max, &value, &err))
        die_bad_argument(err.message);
    return value;
}

double cli_real(double min, double max)
{
    double value;
    struct err err;
    if (num_real(optarg, min, max, &value, &err))
        die_bad_argument(err.message);
    return value;
}

int cli_reals(double *values, int max, double least, double most)
{
    char *text = strdup(optarg), *rest = NULL;
    struct err err;
    int count = 0;
    if (!text)
        cli_die(STATUS_MEMORY, "out of memory for an option");
    for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        if (count == max)
            cli_die_usage("'%s': at most %d numbers", optarg, max);
        if (num_real(word, least, most, &values[count++], &err))
            die_bad_argument(err.message);
    }
    if (count == 0)
        cli_die_usage("'%s': no number", optarg);
    free(text);
    return count;
}

void cli_pixel_size(double *height, double *width)
{
    double size[2];
    int count = cli_reals(size, 2, 1e-9, 1e9);
    *height = size[0];
    *width = size[count - 1];
}

int cli_choice(const char *words)
{
    size_t length = strlen(optarg);
    int index = 0;
    for (const char *word = words; word; index++) {
        const char *end = strchr(word, '|');
        size_t word_length = end ? (size_t)(end - word) : strlen(word);
        if (word_length == length && memcmp(word, optarg, length) == 0)
            return index;
        word = end ? end + 1 : NULL;
    }
    char reason[300];
    snprintf(reason, sizeof reason, "'%s' is none of %s", optarg, words);
    die_bad_argument(reason);
}

char **cli_operands(void)
{
    return cli.argv + optind;
}

int cli_operand_count(void)
{
    return cli.argc - optind;
}

const char *cli_command_line(void)
{
    return cli.command_line;
}

/* ---- terminals ---- */

void cli_refuse_terminal(const char *what)
{
    if (isatty(STDOUT_FILENO))
        cli_die_usage("%s is not for a terminal; use a pipe, a redirection or -o", what);
}

bool cli_quiet(void)
{
    return cli.quiet;
}

bool cli_colour(void)
{
    const char *no = getenv("NO_COLOR");
    return isatty(STDERR_FILENO) && !(no && *no);
}

static bool progress_is_due(void)
{
    static struct timespec last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double elapsed =
        (double)(now.tv_sec - last.tv_sec) + 1e-9 * (double)(now.tv_nsec - last.tv_nsec);
    if (last.tv_sec && elapsed < 0.1)
        return false;
    last = now;
    return true;
}

void cli_progress(const char *unit, uint64_t done, uint64_t total)
{
    if (cli.quiet || !isatty(STDERR_FILENO) || !(progress_is_due() || done == total))
        return;
    fprintf(stderr, "\r\033[K%s: %llu", cli.program->name, (unsigned long long)done);
    if (total)
        fprintf(stderr, " of %llu", (unsigned long long)total);
    fprintf(stderr, " %s", unit);
    cli.progress_shown = true;
}
