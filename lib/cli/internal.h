/* What the files of lib/cli share: the program that runs. */
#ifndef CLI_INTERNAL_H
#define CLI_INTERNAL_H

#include <stdio.h>

#include "cli/cli.h"

struct cli_state {
    const struct cli_program *program;
    const char *name; /* as it was called: with PROGRAM_PREFIX, if it was installed so */
    char *command_line;
    char **words; /* of it, without the program */
    bool quiet;
    bool ends;       /* by our own exit */
    char **operands; /* NULL-terminated, part of argv */
    int operand_count;
};
extern struct cli_state cli_state;

/* -q, -h and -V. */
extern const struct cli_option cli_common_options[];

/* Reads the command line into the targets of the program's options. */
void cli_read_options(int argc, char **argv);

noreturn void cli_print_help(void);
noreturn void cli_print_version(void);

/* For completions/: the program, its purpose and its commands, then an option a line: letter,
 * name, argument, words to choose from, help; a tab between. */
noreturn void cli_list_options(void);

/* Prints text in which other programs are named, "label -T" or "score(1)", outside of quotes: with
 * the prefix that this one was called with. */
void cli_put_prefixed(FILE *to, const char *text);

/* Prints what a room says (core/notice.h). */
void cli_print_notice(const char *text);

/* Ends the line of progress that may stand on the terminal. */
void cli_end_progress(void);

#endif
