#include "cli/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/internal.h"
#include "core/num.h"

#define MAX_ROWS  64
#define MAX_NAMES 96 /* with those that mean the same */

/* The program's rows and the common ones, as getopt_long wants them: a long name's value
 * is FIRST_ROW and its row's place. */
#define FIRST_ROW 256

static struct {
    const struct cli_option *rows[MAX_ROWS];
    bool seen[MAX_ROWS];
    int count;
    char letters[2 * MAX_ROWS + 2];
    struct option names[MAX_NAMES + 1];
    int name_count;
    char spelled[MAX_NAMES * 24], *spelled_end; /* the names, each ended */
} parser;

/* ---- what getopt needs ---- */

static void add_name(const char *name, size_t length, const struct cli_option *row)
{
    char *copy = parser.spelled_end;
    if (parser.name_count == MAX_NAMES ||
        length >= (size_t)(parser.spelled + sizeof parser.spelled - copy))
        abort();
    memcpy(copy, name, length);
    copy[length] = '\0';
    parser.spelled_end += length + 1;
    parser.names[parser.name_count++] = (struct option){
        copy, row->argument ? required_argument : no_argument, NULL, FIRST_ROW + parser.count};
}

static void add_row(const struct cli_option *row)
{
    if (parser.count == MAX_ROWS)
        abort();
    for (const char *name = row->name; *name;) {
        size_t length = strcspn(name, "|");
        add_name(name, length, row);
        name += length + (name[length] == '|');
    }
    if (row->letter) {
        char letter[] = {(char)row->letter, row->argument ? ':' : '\0', '\0'};
        strcat(parser.letters, letter);
    }
    parser.rows[parser.count++] = row;
}

static void add_rows(const struct cli_option *row)
{
    for (; row->name; row++)
        add_row(row);
}

static int row_of(int value)
{
    if (value >= FIRST_ROW)
        return value - FIRST_ROW;
    for (int i = 0; i < parser.count; i++)
        if (parser.rows[i]->letter == value)
            return i;
    abort();
}

/* ---- messages ---- */

static noreturn void die_bad_argument(const struct cli_option *row, const char *reason)
{
    cli_die_usage("option '--%.*s': %s", (int)strcspn(row->name, "|"), row->name, reason);
}

/* How the user wrote the option that getopt did not like.  A long one has no letter in
 * optopt, and is the word before optind. */
static const char *offending_option(char **argv)
{
    static char letter[3] = "-?";
    if (optopt == 0 || optopt >= FIRST_ROW)
        return argv[optind - 1];
    letter[1] = (char)optopt;
    return letter;
}

static noreturn void die_unknown_option(char **argv)
{
    if (optopt >= FIRST_ROW)
        cli_die_usage("option '%s': it takes no argument", offending_option(argv));
    cli_die_usage("unknown option '%s'", offending_option(argv));
}

/* ---- targets ---- */

static void store_int(const struct cli_option *row, int place, int64_t value)
{
    switch (row->type) {
    case CLI_TYPE_INT:
        ((int *)row->to)[place] = (int)value;
        break;
    case CLI_TYPE_UNSIGNED:
        ((unsigned *)row->to)[place] = (unsigned)value;
        break;
    case CLI_TYPE_INT64:
        ((int64_t *)row->to)[place] = value;
        break;
    case CLI_TYPE_UINT64:
        ((uint64_t *)row->to)[place] = (uint64_t)value;
        break;
    case CLI_TYPE_BOOL:
        ((bool *)row->to)[place] = value != 0;
        break;
    default:
        abort();
    }
}

static void store_real(const struct cli_option *row, int place, double value)
{
    if (row->type == CLI_TYPE_FLOAT)
        ((float *)row->to)[place] = (float)value;
    else if (row->type == CLI_TYPE_DOUBLE)
        ((double *)row->to)[place] = value;
    else
        abort();
}

static void copy_part(const struct cli_option *row, int to, int from)
{
    if (row->type == CLI_TYPE_DOUBLE)
        ((double *)row->to)[to] = ((double *)row->to)[from];
    else if (row->type == CLI_TYPE_INT64)
        ((int64_t *)row->to)[to] = ((int64_t *)row->to)[from];
    else
        abort();
}

/* ---- arguments ---- */

static int choice(const struct cli_option *row, const char *text)
{
    const char *words = row->words ? row->words : row->argument;
    size_t length = strlen(text);
    int index = 0;
    for (const char *word = words; *word; index++) {
        size_t word_length = strcspn(word, "|");
        if (word_length == length && memcmp(word, text, length) == 0)
            return row->values ? row->values[index] : index;
        word += word_length + (word[word_length] == '|');
    }
    char reason[300];
    snprintf(reason, sizeof reason, "'%s' is none of %s", text, words);
    die_bad_argument(row, reason);
}

static void read_part(const struct cli_option *row, int place, const char *text)
{
    int64_t whole = 0;
    double real = 0;
    struct err err;
    switch (row->kind) {
    case CLI_KIND_INT:
        if (!(row->words && strcmp(text, row->words) == 0) &&
            num_int(text, row->min, row->max, &whole, &err))
            die_bad_argument(row, err.message);
        store_int(row, place, whole);
        break;
    case CLI_KIND_REAL:
        if (num_real(text, row->real_min, row->real_max, &real, &err))
            die_bad_argument(row, err.message);
        store_real(row, place, real / row->divisor);
        break;
    case CLI_KIND_CHOICE:
        store_int(row, place, choice(row, text));
        break;
    default:
        ((const char **)row->to)[place] = text;
    }
}

static noreturn void die_parts(const struct cli_option *row, const char *text)
{
    char reason[300];
    if (row->least == row->most || row->most == 2)
        snprintf(reason, sizeof reason, "'%s' is not %s", text, row->argument);
    else
        snprintf(reason, sizeof reason, "'%s' is not a list of 1 to %d", text, row->most);
    die_bad_argument(row, reason);
}

/* Parts between separators, from place `first` of the target. */
static void read_parts(const struct cli_option *row, int first, const char *text)
{
    char *copy = strdup(text);
    int count = 0;
    if (!copy)
        cli_die(STATUS_MEMORY, "out of memory for an option");
    for (char *part = copy, *end; part; part = end) {
        if (count == row->most)
            die_parts(row, text);
        end = strchr(part, row->separator);
        if (end)
            *end++ = '\0';
        read_part(row, first + count++, part);
    }
    if (count < row->least)
        die_parts(row, text);
    if (row->count)
        *row->count = count;
    for (; row->repeat_last && count < row->most; count++)
        copy_part(row, first + count, first + count - 1);
    if (row->kind != CLI_KIND_TEXT) /* which is borrowed from it */
        free(copy);
}

static void read_argument(const struct cli_option *row, const char *text)
{
    struct err err;
    int time = row->times ? *row->times : 0;
    if (row->times && ++*row->times > row->times_most) {
        snprintf(err.message, sizeof err.message, "at most %d times", row->times_most);
        die_bad_argument(row, err.message);
    }
    if (row->kind == CLI_KIND_CALL) {
        if (row->call(text, &err))
            die_bad_argument(row, err.message);
    } else if (row->separator) {
        read_parts(row, time * row->most, text);
    } else {
        read_part(row, time, text);
    }
}

/* ---- rows ---- */

static void check_excluded(const struct cli_option *row)
{
    for (int i = 0; i < parser.count; i++) {
        const struct cli_option *other = parser.rows[i];
        if (parser.seen[i] && other->to == row->to && other->set != row->set)
            cli_die_usage("--%s and --%s exclude each other", other->name, row->name);
    }
}

static void apply(int index, const char *argument)
{
    const struct cli_option *row = parser.rows[index];
    if (row->excludes)
        check_excluded(row);
    if (row->kind == CLI_KIND_SET)
        store_int(row, 0, row->set);
    else
        read_argument(row, argument);
    if (row->given)
        *row->given = true;
    parser.seen[index] = true;
}

void cli_read_options(int argc, char **argv)
{
    parser.spelled_end = parser.spelled;
    strcpy(parser.letters, ":"); /* a missing argument is ours to report */
    add_rows(cli_state.program->options);
    add_rows(cli_common_options);
    opterr = 0;
    for (int value; (value = getopt_long(argc, argv, parser.letters, parser.names, NULL)) != -1;)
        switch (value) {
        case '?':
            die_unknown_option(argv);
        case ':':
            cli_die_usage("option '%s' needs an argument", offending_option(argv));
        default:
            apply(row_of(value), optarg);
        }
    cli_state.operands = argv + optind;
    cli_state.operand_count = argc - optind;
}
