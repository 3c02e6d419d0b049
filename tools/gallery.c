/* gallery: one page to look at a folder of results, and a table of its images. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "core/destination.h"
#include "core/guard.h"
#include "core/tsv.h"
#include "draw/gallery.h"
#include "draw/gallery_cache.h"

#define PREVIEW_SIDE   1600
#define THUMBNAIL_SIDE 256

static struct {
    const char *output, *table, *conditions, *title, *list;
    const char *history[GALLERY_MODELS];
    int history_count;
    bool force;
} settings = {.title = "Cells"};

static const struct cli_option options[] = {
    {'o', "output", "DIR", "the folder that gets index.html, images.tsv and the pictures",
     CLI_TEXT(settings.output)},
    {'T', "table", "FILE", "the table of cells that label -T wrote", CLI_TEXT(settings.table)},
    {0, "conditions", "FILE",
     "a table with the columns image and condition\n(default: the images' folders)",
     CLI_TEXT(settings.conditions)},
    {0, "list", "FILE", "the images' names, one a line; - for standard input",
     CLI_TEXT(settings.list)},
    {0, "history", "FILE", "score's table of a model, the oldest first: shows how they got better",
     CLI_TEXT(settings.history[0]), CLI_TIMES(settings.history_count, GALLERY_MODELS)},
    {0, "force", NULL, "replace files of these names, whosoever they are",
     CLI_FLAG(settings.force)},
    {0, "title", "TEXT", "the page's title (default Cells)", CLI_TEXT(settings.title)},
    {0},
};

static const struct cli_program program = {
    .name = "gallery",
    .purpose = "make a page to look at a folder of results",
    .synopsis = "[options] -o DIR IMAGE...",
    .options = options,
    .notes = "The page shows DIR/outlines/NAME.svg, which label --svg wrote, over the images,\n"
             "and needs no server.\n",
};

static struct gallery gallery;
static bool some_failed;

/* The path of a file that is made of `source`. */
static const char *path_in(const char *folder, const char *name, const char *ending,
                           const char *source)
{
    struct err err;
    static char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s%s%s%s", settings.output, folder,
                          *folder ? "/" : "", name, ending);
    if (length >= (int)sizeof path)
        cli_die(STATUS_CREATE, "create '%s': the name is too long", path);
    if (*ending && guard_made_up(path, source, &err))
        cli_die_err(&err);
    return path;
}

/* ---- conditions ---- */

/* The last part of a path's folder, "" where there is none. */
static void folder_of(const char *path, char *to, size_t size)
{
    const char *end = strrchr(path, '/'), *begin = end;
    while (begin && begin > path && begin[-1] != '/')
        begin--;
    snprintf(to, size, "%.*s", end ? (int)(end - begin) : 0, end ? begin : "");
}

/* That of the row whose image is the path, or its last component; NULL when none is. */
static const char *condition_in(const struct tsv *table, const char *path)
{
    size_t image = tsv_column(table, "image"), condition = tsv_column(table, "condition");
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t row = 0; row < table->rows; row++) {
        const char *cell = tsv_cell(table, row, image);
        if (strcmp(cell, path) == 0 || strcmp(cell, name) == 0)
            return tsv_cell(table, row, condition);
    }
    return NULL;
}

static void read_conditions(struct tsv *table)
{
    struct err err;
    if (tsv_read(table, settings.conditions, &err))
        cli_die_err(&err);
    if (tsv_column(table, "image") == table->columns ||
        tsv_column(table, "condition") == table->columns)
        cli_die(STATUS_DATA, "read '%s': no columns 'image' and 'condition'", settings.conditions);
}

static void add_image(const char *path, const struct tsv *conditions)
{
    struct err err;
    char folder[300];
    folder_of(path, folder, sizeof folder);
    const char *condition = settings.conditions ? condition_in(conditions, path) : folder;
    if (gallery_add(&gallery, path, condition ? condition : "", &err))
        cli_die_err(&err);
}

static void add_list(const struct tsv *conditions)
{
    bool standard = strcmp(settings.list, "-") == 0;
    FILE *file = standard ? stdin : fopen(settings.list, "r");
    char *line = NULL;
    size_t room = 0;
    if (!file)
        cli_die(STATUS_NO_INPUT, "open '%s': %s", settings.list, strerror(errno));
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (*line)
            add_image(line, conditions);
    }
    if (ferror(file))
        cli_die(STATUS_IO, "read '%s': %s", settings.list, strerror(errno));
    free(line);
    if (!standard)
        fclose(file);
}

static void add_images(char **paths)
{
    struct tsv conditions = {0};
    struct err err;
    if (settings.conditions)
        read_conditions(&conditions);
    for (; *paths; paths++)
        add_image(*paths, &conditions);
    if (settings.list)
        add_list(&conditions);
    tsv_free(&conditions);
    if (gallery.count == 0)
        cli_die_usage("no images");
    if (gallery_sort(&gallery, &err))
        cli_die_err(&err);
}

/* ---- pictures ---- */

static int make_pictures(struct gallery_image *image, struct err *err)
{
    struct preview preview;
    int rc = preview_make(&preview, image->path, PREVIEW_SIDE, err);
    if (rc == 0) {
        gallery_describe(image, &preview);
        rc = preview_write(&preview, PREVIEW_SIDE,
                           path_in("previews", image->stem, ".png", image->path), err) ||
                     preview_write(&preview, THUMBNAIL_SIDE,
                                   path_in("thumbnails", image->stem, ".png", image->path), err)
                 ? -1
                 : 0;
    }
    preview_free(&preview);
    return rc;
}

static bool is_there(const char *folder, const struct gallery_image *image)
{
    struct stat st;
    return stat(path_in(folder, image->stem, ".png", image->path), &st) == 0;
}

/* Its pictures are there, of an earlier run, and the image is as it was then. */
static bool is_known(const struct tsv *cache, struct gallery_image *image)
{
    return !settings.force && gallery_cache_find(cache, image) && is_there("previews", image) &&
           is_there("thumbnails", image);
}

static void look_at_images(const struct tsv *cache)
{
    for (size_t i = 0; i < gallery.count; i++) {
        struct err err;
        if (is_known(cache, &gallery.images[i]))
            continue;
        if (make_pictures(&gallery.images[i], &err)) {
            if (err.status == STATUS_MEMORY || err.status == STATUS_IO ||
                err.status == STATUS_CREATE)
                cli_die_err(&err);
            cli_warn_err(&err);
            gallery.images[i].failure = strdup(err.message);
            some_failed = true;
        }
        cli_progress("images", i + 1, gallery.count);
    }
}

int main(int argc, char **argv)
{
    struct tsv cache;
    struct err err;
    cli_start(&program, argc, argv);
    if (!settings.output)
        cli_die_usage("no folder, -o DIR");
    gallery.title = settings.title;
    if (settings.force)
        guard_force();
    add_images(cli_operands());
    for (int i = 0; i < settings.history_count; i++)
        if (gallery_add_model(&gallery, settings.history[i], &err))
            cli_die_err(&err);
    if (folder_make(settings.output, &err) || folder_make(path_in("previews", "", "", ""), &err) ||
        folder_make(path_in("thumbnails", "", "", ""), &err) ||
        guard_rewrites(path_in("previews", "measures", ".tsv", settings.output), &err))
        cli_die_err(&err);
    gallery_cache_read(&cache, path_in("previews", "measures", ".tsv", settings.output));
    look_at_images(&cache);
    tsv_free(&cache);
    if (gallery_cache_write(&gallery, path_in("previews", "measures", ".tsv", settings.output),
                            &err) ||
        (settings.table && gallery_count_cells(&gallery, settings.table, &err)) ||
        gallery_warn(&gallery, &err) ||
        gallery_write_table(&gallery, path_in("", "images", ".tsv", settings.output), &err) ||
        gallery_write_page(&gallery, path_in("", "index", ".html", settings.output), &err))
        cli_die_err(&err);
    gallery_free(&gallery);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
