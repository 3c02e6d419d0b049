/* augment: random transforms of the images and masks of a tensor stream. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/json.h"
#include "pixels/augment.h"
#include "stream/stream.h"
#include "tiles/cutting.h"

static struct {
    int64_t copies, seed;
    int64_t paste; /* -1: not said */
    const char *policy_text, *cells, *output;
    struct augment_policy policy;
    bool keep, instances;
} settings = {.copies = 1, .seed = 1, .paste = -1, .policy_text = "paper", .output = "-"};

static struct cutouts cutouts = {.room = PASTE_ROOM};
static uint64_t unlike; /* copies for which there are no cells of their type and channels */

static const struct cli_option options[] = {
    {'n', "copies", "N", "transformed copies of each sample (default 1)",
     CLI_INT(settings.copies, 0, 1000000)},
    {'p', "policy", "POLICY", "paper, strong or none, and changes: strong,zoom=2 (default paper)",
     CLI_TEXT(settings.policy_text)},
    {0, "seed", "N", "seed of the random numbers (default 1)",
     CLI_INT(settings.seed, 0, INT64_MAX)},
    {0, "keep", NULL, "pass the sample itself through too, before its copies",
     CLI_FLAG(settings.keep)},
    {0, "instances", NULL, "mask labels are cells: copies in a mirrored border get new ones",
     CLI_FLAG(settings.instances)},
    {0, "cells", "STREAM", "paste cells of this stream's images where there is none; --instances",
     CLI_TEXT(settings.cells)},
    {0, "paste", "N", "at most so many cells a copy, with --cells (default 10)",
     CLI_INT(settings.paste, 0, 1000000)},
    {'o', "output", "FILE", "write the stream to FILE (default standard output)",
     CLI_TEXT(settings.output)},
    {0},
};

static const struct cli_program program = {
    .name = "augment",
    .purpose = "random transforms of the images and masks of a tensor stream",
    .synopsis = "[options] [STREAM...]",
    .options = options,
    .notes = "Settings of a policy: turns, rotate, angle, zoom, brightness, contrast, gamma,\n"
             "shade, blur, noise, invert, light, border=zero|reflect; see augment(1).",
};

/* A new object where there is no KEY.json, or one that is none. */
static json_t *load(const struct sample *sample, struct err *err)
{
    const struct member *member = sample_member(sample, "json");
    json_error_t error;
    json_t *json = NULL;
    if (member && !(json = json_load_whole(member->bytes, member->size, JSON_DECODE_ANY, &error))) {
        err_set(err, STATUS_DATA, "%s", error.text[0] ? error.text : "it cannot be read");
        err_prefix(err, "'%s.json'", sample->key);
        return NULL;
    }
    if (json_is_object(json))
        return json;
    json_decref(json);
    return json_object();
}

/* KEY.json of the copy: the sample's, and what was done under "augment". */
static int describe(const struct sample *from, struct sample *to, const struct augment_draw *draw,
                    size_t pasted, struct err *err)
{
    json_t *json = load(from, err);
    if (!json)
        return -1;
    json_t *matrix = json_array();
    int failed = 0;
    for (int i = 0; i < 6; i++)
        failed |= json_array_append_new(matrix, json_real(draw->matrix[i]));
    json_t *count = settings.cells ? json_integer((json_int_t)pasted) : NULL;
    failed |=
        json_object_set_new(json, "augment",
                            json_pack("{s:s, s:s, s:o, s:o*}", "of", from->key, "policy",
                                      settings.policy_text, "matrix", matrix, "pasted", count));
    char *text = failed ? NULL : json_dump_whole(json, JSON_COMPACT);
    json_decref(json);
    int result =
        text ? sample_put_bytes(to, "json", text, strlen(text), err) : err_memory(err, "KEY.json");
    free(text);
    return result;
}

/* What a copy is made of: the sample's own arrays, or copies of them with more cells. */
struct original {
    struct array *image, *mask; /* borrowed; mask: NULL where there is none */
    struct array own_image, own_mask;
    size_t pasted;
};

static int paste(struct original *o, const char *key, struct err *err)
{
    struct rng rng = rng_new(~(uint64_t)settings.seed, key); /* a copy is turned as without cells */
    unlike += !cutouts_fit(&cutouts, o->image);
    if (cutouts_paste(&cutouts, &rng, (size_t)settings.paste, o->image, o->mask, &o->own_image,
                      &o->own_mask, &o->pasted, err))
        return -1;
    o->image = &o->own_image;
    o->mask = &o->own_mask;
    return 0;
}

static int transform_original(const struct sample *from, struct original *o, struct sample *to,
                              struct err *err)
{
    struct array out = {0};
    if (!(o->image = sample_require(from, "image", err)))
        return -1;
    if (settings.cells) {
        if (!(o->mask = sample_require(from, "mask", err)) || paste(o, to->key, err))
            return -1;
    } else if (sample_seek(from, "mask", &o->mask, err)) {
        return -1;
    }
    struct rng rng = rng_new((uint64_t)settings.seed, to->key);
    struct augment_draw draw;
    augment_draw(&draw, &settings.policy, &rng, o->image->shape[0], o->image->shape[1], 0, 0);
    if (augment_image(&draw, o->image, &out, err) || sample_put_array(to, "image", &out, err))
        return -1;
    if (o->mask && (augment_mask(&draw, o->mask, settings.instances, &out, err) ||
                    sample_put_array(to, "mask", &out, err)))
        return -1;
    return describe(from, to, &draw, o->pasted, err);
}

static int transform(const struct sample *from, struct sample *to, struct err *err)
{
    struct original original = {0};
    int result = transform_original(from, &original, to, err);
    array_free(&original.own_image);
    array_free(&original.own_mask);
    return result;
}

static char *copy_key(const char *key, int64_t number)
{
    char *text = malloc(strlen(key) + 32);
    if (text)
        sprintf(text, settings.copies == 1 && !settings.keep ? "%s" : "%s_a%" PRId64, key, number);
    return text;
}

static int write_copies(struct stream_writer *writer, const struct sample *sample, struct err *err)
{
    int result = settings.keep ? stream_put(writer, sample, err) : 0;
    for (int64_t i = 1; i <= settings.copies && result == 0; i++) {
        char *key = copy_key(sample->key, i);
        struct sample copy = {0};
        result = key ? sample_init(&copy, key, err) : err_memory(err, "a key");
        if (result == 0)
            result = transform(sample, &copy, err);
        if (result)
            err_prefix(err, "augment '%s'", sample->key);
        else
            result = stream_put(writer, &copy, err);
        sample_free(&copy);
        free(key);
    }
    return result;
}

static int augment_stream(const char *path, struct stream_writer **writer, struct err *err)
{
    struct stream_reader *reader;
    if (stream_open(&reader, path, err))
        return -1;
    char seed[32];
    snprintf(seed, sizeof seed, "%" PRId64, settings.seed);
    const struct stream_author author = {"augment", cli_command_line(), seed, NULL};
    struct sample sample;
    int got, result = 0;
    while (result == 0 && (got = stream_next(reader, &sample, err)) != 0) {
        if (got < 0) {
            result = -1;
            break;
        }
        if (!*writer)
            result = stream_create(writer, settings.output, &author, reader, err);
        if (result == 0)
            result = write_copies(*writer, &sample, err);
        if (result == 0)
            cli_progress("samples", stream_samples_written(*writer), 0);
        sample_free(&sample);
    }
    if (result == 0 && !*writer)
        result = stream_create(writer, settings.output, &author, reader, err);
    if (result == 0)
        result = stream_pass_failures(*writer, reader, err);
    stream_close(reader);
    return result;
}

static int prepare(struct err *err)
{
    if (augment_policy_parse(&settings.policy, settings.policy_text, err))
        cli_die_usage("%s", err->message);
    if (settings.paste >= 0 && !settings.cells)
        cli_die_usage("--paste needs --cells");
    cli_refuse_terminal_for(settings.output, "a tensor stream");
    if (!settings.cells)
        return 0;
    settings.instances = true;
    settings.paste = settings.paste < 0 ? 10 : settings.paste;
    return cutouts_of_stream(&cutouts, settings.cells, err);
}

int main(int argc, char **argv)
{
    cli_start(&program, argc, argv);
    struct stream_writer *writer = NULL;
    struct err err;
    bool some_failed = false;
    int result = prepare(&err);
    for (char **p = cli_inputs(); *p && result >= 0; p++) {
        result = augment_stream(*p, &writer, &err);
        if (result > 0)
            cli_warn_err(&err);
        some_failed |= result > 0;
    }
    if (result >= 0)
        result = stream_commit(writer, &err);
    else
        stream_abort(writer);
    cutouts_free(&cutouts);
    if (result)
        cli_die_err(&err);
    if (unlike)
        cli_warn("%" PRIu64 " copies got no cells: '%s' has none of their type and channels",
                 unlike, settings.cells);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
