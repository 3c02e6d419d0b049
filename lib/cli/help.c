#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/internal.h"

static void print_options(const struct cli_option *row)
{
    for (; row->name; row++) {
        char left[64];
        char letter[] = {'-', (char)row->letter, ',', '\0'};
        if (!row->help)
            continue;
        snprintf(left, sizeof left, "%3s --%.*s%s%s", row->letter ? letter : "",
                 (int)strcspn(row->name, "|"), row->name, row->argument ? " " : "",
                 row->argument ? row->argument : "");
        printf("  %-32s ", left);
        cli_put_prefixed(stdout, row->help);
        putchar('\n');
    }
}

noreturn void cli_print_help(void)
{
    const struct cli_program *p = cli_state.program;
    const char *name = cli_state.name;
    printf("%s - %s\n\nusage: %s %s\n\n", name, p->purpose, name, p->synopsis);
    print_options(p->options);
    print_options(cli_common_options);
    if (p->notes) {
        putchar('\n');
        cli_put_prefixed(stdout, p->notes);
        putchar('\n');
    }
    exit(cli_finish(STATUS_OK));
}

noreturn void cli_print_version(void)
{
    printf("%s (MorphoSeg in C) %s\n", cli_state.name, MORPHOSEG_VERSION);
    exit(cli_finish(STATUS_OK));
}

static void list_row(const struct cli_option *row)
{
    const char *words = row->kind != CLI_KIND_CHOICE ? "" : row->words ? row->words : row->argument;
    if (row->letter)
        putchar(row->letter);
    printf("\t%.*s\t%s\t%s\t%s\n", (int)strcspn(row->name, "|"), row->name,
           row->argument ? row->argument : "", words, row->help);
}

noreturn void cli_list_options(void)
{
    const struct cli_program *p = cli_state.program;
    const struct cli_option *const tables[] = {p->options, cli_common_options};
    printf("%s\t%s\t%s\n", p->name, p->purpose, p->commands ? p->commands : "");
    for (int i = 0; i < 2; i++)
        for (const struct cli_option *row = tables[i]; row->name; row++)
            if (row->help)
                list_row(row);
    exit(cli_finish(STATUS_OK));
}
