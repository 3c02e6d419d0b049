/* holdout: split a stream into a training and a test part. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/names.h"
#include "stream/split.h"
#include "stream/stream.h"

static struct {
    enum { NO_PART, TRAIN, TEST } part;
    enum { BY_SOURCE, BY_TILE } by;
    double fraction;
    int64_t seed;
    bool stable, allow_leakage;
    const char *output;
} settings = {.fraction = 0.2, .seed = 1, .output = "-"};

static const struct cli_option options[] = {
    {0, "train", NULL, "write the training part", CLI_ONE_OF(settings.part, TRAIN)},
    {0, "test", NULL, "write the test part", CLI_ONE_OF(settings.part, TEST)},
    {'f', "fraction", "FRACTION", "share of the source images that is held out (default 0.2)",
     CLI_REAL(settings.fraction, 0.0001, 0.9999)},
    {0, "seed", "N", "another seed is another split (default 1)",
     CLI_INT(settings.seed, 0, INT64_MAX)},
    {0, "by", "source|tile", "what stays together: a source image (default) or a tile",
     CLI_CHOICE(settings.by)},
    {0, "stable", NULL,
     "decide on each source alone, in one pass: it keeps its part when others come or go",
     CLI_FLAG(settings.stable)},
    {0, "allow-leakage", NULL, "parts may share source images or pixels",
     CLI_FLAG(settings.allow_leakage)},
    {'o', "output", "FILE", "write the stream to FILE (default standard output)",
     CLI_TEXT(settings.output)},
    {0},
};

static const struct cli_program program = {
    .name = "holdout",
    .purpose = "split a tensor stream into a training and a test part",
    .synopsis = "--train|--test [options] [STREAM]",
    .options = options,
    .notes = "The same options but --train and --test give parts that complete each other.",
};

static int get_source(const struct sample *sample, struct tile_meta *meta, struct err *err)
{
    if (sample_get_meta(sample, meta, err) < 0)
        return -1;
    if (settings.by == BY_SOURCE && !meta->source[0])
        return err_set(err, STATUS_DATA,
                       "sample '%s' does not name its source image; --by tile does without",
                       sample->key);
    names_plain_path(meta->source); /* ./x is x */
    return 0;
}

static const char *unit_of(const struct sample *sample, const struct tile_meta *meta)
{
    return settings.by == BY_SOURCE ? meta->source : sample->key;
}

static int note_sample(struct split *split, const struct sample *sample, struct err *err)
{
    struct tile_meta meta;
    const struct array *image = sample_array(sample, "image");
    if (get_source(sample, &meta, err))
        return -1;
    return split_add(split, unit_of(sample, &meta), meta.source,
                     image ? split_hash_pixels(image) : 0, err);
}

static int put_sample(struct split *split, struct stream_writer *writer,
                      const struct sample *sample, struct err *err)
{
    struct tile_meta meta;
    if (get_source(sample, &meta, err))
        return -1;
    bool is_test = split_is_test(split, unit_of(sample, &meta));
    return is_test == (settings.part == TEST) ? stream_put(writer, sample, err) : 0;
}

static int check(const struct split *split, struct err *err)
{
    return settings.allow_leakage ? 0 : split_check(split, err);
}

/* The first of two passes. */
static int decide(struct split *split, struct stream_reader *reader, struct err *err)
{
    struct sample sample;
    int result;
    while ((result = stream_next(reader, &sample, err)) > 0) {
        result = note_sample(split, &sample, err);
        sample_free(&sample);
        if (result)
            return -1;
    }
    return result || split_decide(split, err) || check(split, err) || stream_rewind(reader, err)
               ? -1
               : 0;
}

/* The second pass, or the only one. */
static int write_part(struct split *split, struct stream_reader *reader,
                      struct stream_writer **writer, struct err *err)
{
    struct sample sample;
    char seed[32];
    snprintf(seed, sizeof seed, "%lld", (long long)settings.seed);
    struct stream_author author = {
        .program = "holdout", .arguments = cli_command_line(), .seed = seed};
    int result = stream_next(reader, &sample, err);
    if (result >= 0 && stream_create(writer, settings.output, &author, reader, err))
        result = -1;
    for (; result > 0; result = stream_next(reader, &sample, err)) {
        if ((settings.stable && note_sample(split, &sample, err)) ||
            put_sample(split, *writer, &sample, err))
            break;
        sample_free(&sample);
        cli_progress("samples", stream_samples_written(*writer), 0);
    }
    sample_free(&sample);
    if (result || (settings.stable && check(split, err)))
        return -1;
    return stream_pass_failures(*writer, reader, err);
}

int main(int argc, char **argv)
{
    struct split *split;
    struct stream_reader *reader;
    struct stream_writer *writer = NULL;
    struct err err;
    cli_start(&program, argc, argv);
    if (!settings.part)
        cli_die_usage("--train or --test is needed");
    cli_refuse_terminal_for(settings.output, "a tensor stream");
    const char *path = cli_only_input();
    if (split_new(&split, (uint64_t)settings.seed, settings.fraction, &err) ||
        (settings.stable ? stream_open(&reader, path, &err)
                         : stream_open_seekable(&reader, path, &err)))
        cli_die_err(&err);
    int result = settings.stable ? 0 : decide(split, reader, &err);
    if (result == 0)
        result = write_part(split, reader, &writer, &err);
    if (result < 0) {
        stream_abort(writer);
        cli_die_err(&err);
    }
    if (result > 0)
        cli_warn_err(&err);
    stream_close(reader);
    split_free(split);
    if (stream_commit(writer, &err))
        cli_die_err(&err);
    return cli_finish(result ? STATUS_SOME_FAILED : STATUS_OK);
}
