/* prune: drop samples that teach nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "pixels/content.h"
#include "stream/stream.h"

static struct {
    bool by_mask, by_content, invert;
    double min_foreground, contrast;
    const char *output;
} settings = {.contrast = CONTENT_CONTRAST, .output = "-"};

static const struct cli_option options[] = {
    {0, "min-foreground", "FRACTION",
     "drop masks with less foreground; 0, the default, drops those without any",
     CLI_REAL(settings.min_foreground, 0, 1), CLI_GIVEN(settings.by_mask)},
    {0, "blank", NULL, "drop tiles that show nothing, whatever their mask says",
     CLI_FLAG(settings.by_content)},
    {0, "contrast", "FRACTION",
     "structure below this share of the mean is nothing "
     "(default 0.008; means --blank)",
     CLI_REAL(settings.contrast, 0, 1), CLI_GIVEN(settings.by_content)},
    {'v', "invert", NULL, "keep what would be dropped", CLI_FLAG(settings.invert)},
    {'o', "output", "FILE", "write the stream to FILE (default standard output)",
     CLI_TEXT(settings.output)},
    {0},
};

static const struct cli_program program = {
    .name = "prune",
    .purpose = "drop samples of a tensor stream without foreground or content",
    .synopsis = "[options] [STREAM...]",
    .options = options,
    .notes = "Without options samples whose mask has no foreground are dropped.",
};

static int lacks_foreground(const struct sample *sample, struct err *err)
{
    const struct array *mask = sample_require(sample, "mask", err);
    if (!mask)
        return -1;
    double share = content_foreground(mask);
    return share == 0 || share < settings.min_foreground;
}

/* The part of a tile that is not padding. */
static struct content_window seen_part(const struct array *image, const struct tile_meta *meta)
{
    double sx = meta->scale_x > 0 ? meta->scale_x : 1, sy = meta->scale_y > 0 ? meta->scale_y : 1;
    double width = (double)image->shape[1], height = (double)image->shape[0];
    double left = fmin(ceil((double)meta->pad_left * sx), width);
    double top = fmin(ceil((double)meta->pad_top * sy), height);
    double right = fmin(ceil((double)meta->pad_right * sx), width - left);
    double bottom = fmin(ceil((double)meta->pad_bottom * sy), height - top);
    return (struct content_window){(size_t)left, (size_t)top, (size_t)(width - left - right),
                                   (size_t)(height - top - bottom)};
}

static int lacks_content(const struct sample *sample, struct err *err)
{
    struct tile_meta meta;
    struct content content;
    const struct array *image = sample_require(sample, "image", err);
    if (!image || sample_get_meta(sample, &meta, err) < 0)
        return -1;
    struct content_window window = seen_part(image, &meta);
    if (content_measure(image, &window, &content, err))
        return -1;
    return content_is_blank(&content, settings.contrast);
}

/* A sample that says that its source is incomplete stays, so that later programs hear it. */
static int is_dropped(const struct sample *sample, struct err *err)
{
    struct tile_meta meta;
    int known = sample_get_meta(sample, &meta, err);
    if (known < 0 || (known == 0 && meta.incomplete[0]))
        return known;
    int dropped = settings.by_mask ? lacks_foreground(sample, err) : 0;
    if (dropped == 0 && settings.by_content)
        dropped = lacks_content(sample, err);
    return dropped < 0 ? -1 : dropped != settings.invert;
}

static int prune_sample(struct stream_writer *writer, const struct sample *sample, struct err *err)
{
    int dropped = is_dropped(sample, err);
    if (dropped)
        return dropped < 0 ? -1 : 0;
    return stream_put(writer, sample, err);
}

static int prune_stream(struct stream_writer **writer, const char *path, struct err *err)
{
    static const struct stream_author author = {.program = "prune"};
    struct stream_author me = author;
    struct stream_reader *reader;
    struct sample sample;
    int result;
    me.arguments = cli_command_line();
    if (stream_open(&reader, path, err))
        return -1;
    while ((result = stream_next(reader, &sample, err)) >= 0) {
        if (!*writer && stream_create(writer, settings.output, &me, reader, err))
            result = -1;
        else if (result > 0 && prune_sample(*writer, &sample, err))
            result = -1;
        sample_free(&sample);
        if (result <= 0)
            break;
        cli_progress("samples kept", stream_samples_written(*writer), 0);
    }
    if (result == 0)
        result = stream_pass_failures(*writer, reader, err);
    stream_close(reader);
    return result;
}

int main(int argc, char **argv)
{
    struct stream_writer *writer = NULL;
    struct err err;
    cli_start(&program, argc, argv);
    settings.by_mask |= !settings.by_content;
    cli_refuse_terminal_for(settings.output, "a tensor stream");
    bool some_failed = false;
    for (char **path = cli_inputs(); *path; path++) {
        int result = prune_stream(&writer, *path, &err);
        if (result < 0) {
            stream_abort(writer);
            cli_die_err(&err);
        }
        if (result > 0)
            cli_warn_err(&err);
        some_failed |= result > 0;
    }
    if (stream_commit(writer, &err))
        cli_die_err(&err);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
