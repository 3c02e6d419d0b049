/* peek: print and check tensor streams. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/text.h"
#include "stream/describe.h"
#include "stream/stream.h"

static enum { LIST, CHECK, JSON, COUNT, PROVENANCE } mode;

static const struct cli_option options[] = {
    {'c', "check", NULL, "print nothing, only check", CLI_SET(mode, CHECK)},
    {'j', "json", NULL, "print a JSON object a line", CLI_SET(mode, JSON)},
    {'n', "count", NULL, "print the number of samples only", CLI_SET(mode, COUNT)},
    {'p', "provenance", NULL, "print what made the stream only", CLI_SET(mode, PROVENANCE)},
    {0},
};

static const struct cli_program program = {
    .name = "peek",
    .purpose = "print and check tensor streams",
    .synopsis = "[options] [STREAM...]",
    .options = options,
};

static void print_text(char *text, const char *what)
{
    if (text)
        text_put_json(stdout, text);
    else
        cli_die(STATUS_MEMORY, "out of memory for %s", what);
    free(text);
}

static void print_provenance(const struct stream_reader *reader)
{
    if (mode == JSON) {
        printf("{\"provenance\":");
        text_put_json(stdout, stream_provenance(reader));
        puts("}");
        return;
    }
    char *text = describe_provenance(stream_provenance(reader));
    if (!text)
        cli_die(STATUS_MEMORY, "out of memory for provenance");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        printf("# %s\n", line);
    free(text);
}

static void print_key(const struct sample *sample)
{
    char *key = describe_key(sample);
    if (!key)
        cli_die(STATUS_MEMORY, "out of memory for a key");
    text_put(stdout, key);
    free(key);
}

static void print_sample(const struct sample *sample)
{
    if (mode == JSON) {
        print_text(describe_json(sample), "a line");
    } else {
        print_key(sample);
        putchar('\t');
        print_text(describe_members(sample), "a line");
    }
    putchar('\n');
}

/* Reads to the end; the provenance is known with the first sample. */
static int peek(struct stream_reader *reader, struct err *err)
{
    struct sample sample;
    uint64_t count = 0;
    int result;
    do {
        result = stream_next(reader, &sample, err);
        if (result >= 0 && count == 0 && (mode == LIST || mode == JSON || mode == PROVENANCE))
            print_provenance(reader);
        if (result > 0 && (mode == LIST || mode == JSON))
            print_sample(&sample);
        count += result > 0;
        sample_free(&sample);
        cli_progress("samples", count, 0);
    } while (result > 0);
    if (result == 0 && mode == COUNT)
        printf("%llu\n", (unsigned long long)count);
    return result ? result : stream_failed(reader, err);
}

static enum status peek_file(const char *path)
{
    struct stream_reader *reader;
    struct err err;
    if (stream_open(&reader, path, &err)) {
        cli_warn_err(&err);
        return err.status;
    }
    int result = peek(reader, &err);
    stream_close(reader);
    if (result == 0)
        return STATUS_OK;
    fflush(stdout);
    cli_warn_err(&err);
    return err.status;
}

int main(int argc, char **argv)
{
    cli_start(&program, argc, argv);
    if (cli_operand_count() <= 1)
        return cli_finish(peek_file(cli_only_input()));
    enum status status = STATUS_OK;
    for (char **path = cli_operands(); *path; path++)
        if (peek_file(*path))
            status = STATUS_SOME_FAILED;
    return cli_finish(status);
}
