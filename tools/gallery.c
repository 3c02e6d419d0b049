/* gallery: one page to look at a folder of results, and a table of its images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "core/destination.h"
#include "core/tsv.h"
#include "draw/gallery.h"

#define PREVIEW_SIDE   1600
#define THUMBNAIL_SIDE 256

static struct {
    const char *output, *table, *conditions, *title;
} settings = {.title = "Cells"};

static const struct cli_option options[] = {
    {'o', "output", "DIR", "the folder that gets index.html, images.tsv and the pictures",
     CLI_TEXT(settings.output)},
    {'T', "table", "FILE", "the table of cells that label -T wrote", CLI_TEXT(settings.table)},
    {0, "conditions", "FILE",
     "a table with the columns image and condition\n(default: the images' folders)",
     CLI_TEXT(settings.conditions)},
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

static const char *path_in(const char *folder, const char *name, const char *ending)
{
    static char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s%s%s%s", settings.output, folder,
                          *folder ? "/" : "", name, ending);
    if (length >= (int)sizeof path)
        cli_die(STATUS_CREATE, "create '%s': the name is too long", path);
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

static void add_images(char **paths)
{
    struct tsv table = {0};
    struct err err;
    char folder[300];
    if (settings.conditions)
        read_conditions(&table);
    for (; *paths; paths++) {
        folder_of(*paths, folder, sizeof folder);
        const char *condition = settings.conditions ? condition_in(&table, *paths) : folder;
        if (gallery_add(&gallery, *paths, condition ? condition : "", &err))
            cli_die_err(&err);
    }
    tsv_free(&table);
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
        rc = preview_write(&preview, PREVIEW_SIDE, path_in("previews", image->stem, ".png"), err) ||
                     preview_write(&preview, THUMBNAIL_SIDE,
                                   path_in("thumbnails", image->stem, ".png"), err)
                 ? -1
                 : 0;
    }
    preview_free(&preview);
    return rc;
}

static void look_at_images(void)
{
    for (size_t i = 0; i < gallery.count; i++) {
        struct err err;
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

static void make_folder(const char *name)
{
    struct destination folder;
    struct err err;
    if (destination_set(&folder, path_in(name, "", ""), "", &err))
        cli_die_err(&err);
}

int main(int argc, char **argv)
{
    struct err err;
    cli_start(&program, argc, argv);
    if (!settings.output)
        cli_die_usage("no folder, -o DIR");
    if (cli_operand_count() == 0)
        cli_die_usage("no images");
    add_images(cli_operands());
    make_folder("previews");
    make_folder("thumbnails");
    look_at_images();
    if ((settings.table && gallery_count_cells(&gallery, settings.table, &err)) ||
        gallery_warn(&gallery, &err) ||
        gallery_write_table(&gallery, path_in("", "images", ".tsv"), &err) ||
        gallery_write_page(&gallery, path_in("", "index", ".html"), &err))
        cli_die_err(&err);
    gallery_free(&gallery);
    return cli_finish(some_failed ? STATUS_SOME_FAILED : STATUS_OK);
}
