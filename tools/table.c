/* table: records of runs to a published table, ours beside the paper's. */
#include <stdlib.h>

#include "cli/cli.h"
#include "paper/render.h"

#define MAX_NOTES 16

static struct {
    enum render_format format;
    const char *title;
    const char *notes[MAX_NOTES + 1];
    int note_count;
} settings;

static const struct cli_option options[] = {
    {'f', "format", "markdown|html|tsv", "what to write (default markdown)",
     CLI_CHOICE(settings.format)},
    {'t', "title", "TEXT", "a heading", CLI_TEXT(settings.title)},
    {'n', "note", "TEXT", "a note under the table; may be given several times",
     CLI_TEXT(settings.notes[0]), CLI_TIMES(settings.note_count, MAX_NOTES)},
    {0},
};

static const struct cli_program program = {
    .name = "table",
    .purpose = "set results of runs beside a published table",
    .synopsis = "[options] PUBLISHED [RECORD...]",
    .options = options,
};

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
    if (cli_operand_count() < 1)
        cli_die_usage("the published table is missing");
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
