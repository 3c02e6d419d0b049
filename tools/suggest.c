/* suggest: which images to annotate next. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/growing.h"
#include "core/names.h"
#include "core/table.h"
#include "core/text.h"
#include "pixels/planes.h"
#include "scores/choose.h"
#include "tiles/picture_stream.h"

static struct {
    const char *done;
    int64_t number;
    bool csv;
} settings = {.number = 5};

static const struct cli_option options[] = {
    {'n', "number", "N", "images to suggest (default 5)", CLI_INT(settings.number, 1, 1000000)},
    {0, "done", "FILE", "names of images that are annotated, one a line: others, unlike them",
     CLI_TEXT(settings.done)},
    {0, "csv", NULL, "commas between cells, for spreadsheets", CLI_FLAG(settings.csv)},
    {0},
};

static const struct cli_program program = {
    .name = "suggest",
    .purpose = "which images to annotate next",
    .synopsis = "[options] [STREAM]",
    .options = options,
    .notes = "STREAM is what predict --keep-image writes.  Standard output gets a table: rank,\n"
             "image, score, unsure, distance, covered, reason.",
};

struct known {
    char *name, *plain; /* as it was typed, and as it is compared */
    struct choose_image measures;
};
static struct known *images;
static size_t image_count;

/* ---- looking at images ---- */

/* As a network sees it without ranges: integers as shares of the largest, one plane. */
static float *intensities(const struct array *image, struct err *err)
{
    struct tile_meta none = {0};
    double offset, gain;
    size_t pixels = image->shape[0] * image->shape[1];
    float *values = malloc((pixels + 1) * sizeof *values);
    sample_scale(&none, image->dtype, false, &offset, &gain);
    if (!values)
        err_memory(err, "an image");
    else if (planes_of(image, offset, gain, 1, 1, values, err) == 0)
        return values;
    free(values);
    return NULL;
}

static int add_image(const struct picture *p, const float *intensity, struct err *err)
{
    if (growing_room(&images, image_count, sizeof *images, err))
        return -1;
    struct known *image = &images[image_count++];
    *image = (struct known){.name = strdup(p->name), .plain = strdup(p->name)};
    if (!image->name || !image->plain)
        return err_memory(err, "images");
    names_plain_path(image->plain);
    choose_measure(&image->measures, intensity, p->foreground, p->uncertainty,
                   p->height * p->width);
    return 0;
}

static int take_picture(void *user, struct picture *p, struct err *err)
{
    (void)user;
    if (!p->image.ndim)
        return err_set(err, STATUS_DATA, "'%s' has no image: predict needs --keep-image", p->name);
    float *intensity = intensities(&p->image, err);
    int result = intensity ? add_image(p, intensity, err) : -1;
    free(intensity);
    return result;
}

/* ---- those that are done ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* By the whole path, or by the file's name where the list has that alone. */
static void mark(bool *done, const char *name)
{
    for (size_t i = 0; i < image_count; i++)
        if (strcmp(images[i].plain, name) == 0 || strcmp(last_part(images[i].plain), name) == 0)
            done[i] = true;
}

static bool *read_done(void)
{
    bool *done = calloc(image_count + 1, sizeof *done);
    FILE *file = settings.done ? fopen(settings.done, "r") : NULL;
    char *line = NULL;
    size_t room = 0;
    if (!done)
        cli_die(STATUS_MEMORY, "no memory for a list of images");
    if (settings.done && !file)
        cli_die(STATUS_NO_INPUT, "open '%s': %s", settings.done, strerror(errno));
    while (file && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        names_plain_path(line);
        mark(done, line);
    }
    if (file && ferror(file))
        cli_die(STATUS_IO, "read '%s': %s", settings.done, strerror(errno));
    free(line);
    if (file)
        fclose(file);
    return done;
}

/* ---- the table ---- */

static void print_choice(FILE *to, int64_t rank, const struct choice *c)
{
    const struct choose_image *m = &images[c->image].measures;
    const char *reason = m->unsure == 0       ? "nothing found"
                         : isnan(c->distance) ? "most unsure"
                                              : "unsure, and unlike those before";
    fprintf(to, "%lld\t", (long long)rank);
    text_put(to, images[c->image].name);
    fprintf(to, "\t%.4f\t%.4f\t%.4f\t%.4f\t%s\n", c->score, m->unsure, c->distance, m->covered,
            reason);
}

static void suggest(void)
{
    struct err err;
    struct table_print print;
    bool *done = read_done();
    struct choose_image *measures = calloc(image_count + 1, sizeof *measures);
    struct choice *choices = calloc(image_count + 1, sizeof *choices);
    if (!measures || !choices)
        cli_die(STATUS_MEMORY, "no memory for %zu images", image_count);
    for (size_t i = 0; i < image_count; i++)
        measures[i] = images[i].measures;
    size_t wanted = (size_t)settings.number < image_count ? (size_t)settings.number : image_count;
    int64_t n = choose_images(measures, done, image_count, choices, wanted, &err);
    if (n < 0)
        cli_die_err(&err);
    if (table_print_begin(&print, settings.csv, &err))
        cli_die_err(&err);
    fputs("rank\timage\tscore\tunsure\tdistance\tcovered\treason\n", print.to);
    for (int64_t i = 0; i < n; i++)
        print_choice(print.to, i + 1, &choices[i]);
    if (table_print_end(&print, &err))
        cli_die_err(&err);
    free(done);
    free(measures);
    free(choices);
}

static void free_images(void)
{
    for (size_t i = 0; i < image_count; i++) {
        free(images[i].name);
        free(images[i].plain);
    }
    free(images);
}

int main(int argc, char **argv)
{
    struct err err;
    const struct picture_stream_options pictures = {
        .values = "prob",
        .wanted = 1 << PICTURE_FOREGROUND | 1 << PICTURE_UNCERTAINTY | 1 << PICTURE_IMAGE,
        .warn = cli_warn_err,
        .progress = cli_progress};
    cli_start(&program, argc, argv);
    int result = picture_stream_walk(cli_only_input(), &pictures, take_picture, NULL, &err);
    if (result < 0)
        cli_die_err(&err);
    if (result > 0)
        cli_warn_err(&err);
    suggest();
    free_images();
    return cli_finish(result ? STATUS_SOME_FAILED : STATUS_OK);
}
