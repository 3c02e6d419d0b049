/* table: records of runs to a published table, ours beside the paper's. */
#include <stdlib.h>

#include "cli/cli.h"
#include "paper/render.h"

#define MAX_NOTES 16

static const struct cli_option options[] = {
    {'f', "format", "markdown|html|tsv", "what to write (default markdown)"},
    {'t', "title", "TEXT", "a heading"},
    {'n', "note", "TEXT", "a note under the table; may be given several times"},
    {0},
};

static const struct cli_program program = {
    .name = "table",
    .purpose = "set results of runs beside a published table",
    .synopsis = "[options] PUBLISHED [RECORD...]",
    .options = options,
};

static struct {
    enum render_format format;
    const char *title;
    const char *notes[MAX_NOTES + 1];
    int note_count;
} settings;

static void parse_options(void)
{
    for (int c; (c = cli_next_option()) != -1;) {
        switch (c) {
        case 'f':
            settings.format = (enum render_format)cli_choice("markdown|html|tsv");
            break;
        case 't':
            settings.title = cli_argument();
            break;
        case 'n':
            if (settings.note_count == MAX_NOTES)
                cli_die_usage("at most %d notes", MAX_NOTES);
            settings.notes[settings.note_count++] = cli_argument();
            break;
        }
    }
    if (cli_operand_count() < 1)
        cli_die_usage("the published table is missing");
}

static struct tsv *read_records(char **paths, size_t count)
{
    struct err err;
    struct tsv *records = calloc(count + 1, sizeof *records);
    if (!records)
        cli_die(STATUS_MEMORY, "out of memory for records");
    for (size_t i = 0; i < count; i++)
        if (tsv_read(&records[i], paths[i], &err))
            cli_die_err(&err);
    return records;
}

int main(int argc, char **argv)
{
    struct tsv paper;
    struct comparison comparison;
    struct err err;
    cli_start(&program, argc, argv);
    parse_options();
    char **paths = cli_operands();
    size_t count = (size_t)cli_operand_count() - 1;
    if (tsv_read(&paper, paths[0], &err))
        cli_die_err(&err);
    struct tsv *records = read_records(paths + 1, count);
    if (comparison_new(&comparison, &paper, records, count, &err)) {
        err_prefix(&err, "read '%s'", paths[0]);
        cli_die_err(&err);
    }
    render(&comparison, settings.format, settings.title, settings.notes, stdout);
    comparison_free(&comparison);
    for (size_t i = 0; i < count; i++)
        tsv_free(&records[i]);
    free(records);
    tsv_free(&paper);
    return cli_finish(STATUS_OK);
}
