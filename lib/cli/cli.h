/* lib/cli: how programs speak with people: options, help, messages, progress, the end. Only tools/
 * may use it, and only it may print and exit; a library that has something to say returns an error
 * or calls what it was given. What a program does is no part of it. */

/* What every program shares: options, help, messages, progress, signals and the
 * end.  The only code of lib that may print and exit; used by tools only.
 *
 *     static const struct cli_option options[] = {
 *         {'s', "size", "SIZE", "tile size in pixels (default 224)", CLI_INT(size, 1, 65535)},
 *         {0, "edge", "shift|pad|fit", "windows that cross the border", CLI_CHOICE(edge)},
 *         {0},
 *     };
 *     static const struct cli_program program = {
 *         .name = "tile", .purpose = "cut images into a tensor stream",
 *         .synopsis = "[options] IMAGE...", .options = options};
 *
 *     int main(int argc, char **argv)
 *     {
 *         cli_start(&program, argc, argv);
 *         ...
 *         return cli_finish(STATUS_OK);
 *     }
 *
 * -h/--help, -V/--version and -q/--quiet are understood by every program. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "cli/options.h"
#include "core/err.h"

struct cli_program {
    const char *name;
    const char *purpose;  /* one line: what it does */
    const char *synopsis; /* options and operands */
    const char *commands; /* "a|b|c" when the first operand is one of them, else NULL */
    const struct cli_option *options;
    bool calls_out;    /* may start programs or open sockets: no sandbox (core/sandbox.h) yet */
    const char *notes; /* printed after the options; NULL when there is nothing to say */
};

/* Resets signal dispositions (SIGPIPE ends a program quietly), closes the gap
 * when one of the three standard descriptors is closed, and reads the options into
 * their targets, and enters the sandbox.  Wrong ones end the program with STATUS_USAGE. */
void cli_start(const struct cli_program *program, int argc, char **argv);

/* For a program that calls out, once it is clear that this run of it does not. */
void cli_enter_sandbox(void);

/* What is no option, in its order; NULL-terminated, borrowed. */
char **cli_operands(void);
int cli_operand_count(void);

/* The operands, or "-" when there is none. */
char **cli_inputs(void);

/* The only operand or "-"; a second one ends the program. */
const char *cli_only_input(void);

/* The command line as it was given, quoted for a shell where needed, for
 * provenance.  Borrowed. */
const char *cli_command_line(void);

/* "program: message" on stderr.  The die family exits; cli_die_usage adds a hint
 * to --help and exits with STATUS_USAGE. */
void cli_warn(const char *format, ...) PRINTF_LIKE(1, 2);
void cli_warn_err(const struct err *err);
noreturn void cli_die(enum status status, const char *format, ...) PRINTF_LIKE(2, 3);
noreturn void cli_die_err(const struct err *err);
noreturn void cli_die_usage(const char *format, ...) PRINTF_LIKE(1, 2);

/* "program: text" on stderr for people who wait, unless -q: a line, or one that the next one or
 * progress replaces, on a terminal only. */
void cli_say(const char *text);
void cli_status(const char *text);

/* Ends the program with STATUS_USAGE when standard output is a terminal.
 * `what`: "a tensor stream". */
void cli_refuse_terminal(const char *what);

/* The same where `path` is "-", standard output. */
void cli_refuse_terminal_for(const char *path, const char *what);

/* Progress on stderr, only when it is a terminal and not silenced by -q:
 * "tile: 12 of 40 tiles, 3 min left".  total 0 when unknown; the time left is said when it is
 * more than some seconds. */
void cli_progress(const char *unit, uint64_t done, uint64_t total);

/* Flushes and closes standard output; returns `status`, or dies with STATUS_IO.
 * Every program's main ends with it. */
int cli_finish(enum status status);

#endif
