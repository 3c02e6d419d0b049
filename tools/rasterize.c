/* rasterize: annotations to masks and label images. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annot/annot.h"
#include "annot/mask_file.h"
#include "cli/cli.h"
#include "core/guard.h"
#include "core/limits.h"
#include "core/names.h"
#include "core/spill.h"
#include "image/folder.h"
#include "image/output.h"

#define MAX_CLASSES 255

static struct {
    const char *output, *like, *suffix;
    int64_t size[2]; /* width, height */
    int format;      /* -1: by the name */
    bool force;
    const char *classes[MAX_CLASSES];
    int class_count;
    struct annot_raster raster;
} settings = {.output = "-", .suffix = "", .format = -1};

static const struct cli_option options[] = {
    {'o', "output", "FILE|DIR", "where to write (default standard output)",
     CLI_TEXT(settings.output)},
    {'m', "mode", "instance|class|binary",
     "a label for each object (default), for each class, or 255 for all",
     CLI_CHOICE(settings.raster.mode)},
    {0, "classes", "NAME,...", "class mode: the names of labels 1, 2, ...",
     CLI_TEXT(settings.classes[0]), CLI_LIST(settings.class_count, MAX_CLASSES)},
    {'s', "size", "WIDTHxHEIGHT", "size of the image, where the annotations do not say",
     CLI_INT(settings.size[0], 1, 1 << 24), CLI_PARTS(2, 'x')},
    {0, "like", "IMAGE|DIR",
     "take the size from this image, or from that with the same "
     "stem in this folder",
     CLI_TEXT(settings.like)},
    {0, "overlap", "last|first", "which object is seen where several are (default last)",
     CLI_CHOICE(settings.raster.keep_first)},
    {0, "channel", "N", "only objects of this channel of a stack, from 1",
     CLI_INT(settings.raster.plane.channel, 1, INT32_MAX)},
    {0, "z", "N", "only objects of this slice", CLI_INT(settings.raster.plane.z, 1, INT32_MAX)},
    {0, "t", "N", "only objects of this frame", CLI_INT(settings.raster.plane.t, 1, INT32_MAX)},
    {'f', "format", IMAGE_FORMAT_WORDS, "format, where no file name tells it (default png)",
     CLI_CHOICE(settings.format)},
    {0, "force", NULL, "with -o DIR: replace files that are not of an earlier run",
     CLI_FLAG(settings.force)},
    {0, "suffix", "TEXT", "with -o DIR: what file names have after the stem",
     CLI_TEXT(settings.suffix)},
    {0, "max-pixels", "N", "refuse larger images (default: half of memory's bytes)",
     CLI_INT(limits.max_pixels, 1, INT64_MAX)},
    {0},
};

static const struct cli_program program = {
    .name = "rasterize",
    .purpose = "masks and label images from annotations",
    .synopsis = "[options] ANNOTATIONS...",
    .options = options,
    .notes =
        "Reads COCO, GeoJSON, LabelMe and VIA JSON, CVAT's XML, YOLO's polygons, ImageJ .roi,\n"
        "zips of them, and TIFF with them inside.",
};

static struct destination output;
static bool some_failed; /* objects or images, but not all */

static void check_options(void)
{
    if (settings.force)
        guard_force();
    settings.raster.classes = settings.classes;
    settings.raster.class_count = (size_t)settings.class_count;
    for (int i = 0; i < settings.class_count; i++)
        if (!*settings.classes[i])
            cli_die_usage("--classes: an empty name");
    if ((settings.raster.mode == ANNOT_CLASSES) != (settings.class_count > 0))
        cli_die_usage("--mode class and --classes go together");
    if (settings.size[0] && settings.like)
        cli_die_usage("--size and --like exclude each other");
}

static void prepare_output(void)
{
    struct err err;
    if (image_destination_set(&output, settings.output, settings.suffix, &err))
        cli_die_err(&err);
    if (destination_is_stdout(&output))
        cli_refuse_terminal("an image");
}

/* ---- names ---- */

static enum image_format format_of_output(void)
{
    enum image_format otherwise =
        settings.format > 0 ? (enum image_format)settings.format : IMAGE_PNG;
    return image_output_format(&output, otherwise);
}

/* ---- sizes ---- */

static int size_of(const char *path, int64_t *width, int64_t *height, struct err *err)
{
    struct image_info info;
    if (image_measure(path, &info, err))
        return -1;
    *width = info.width;
    *height = info.height;
    return 0;
}

static int size_like(const char *name, int64_t *width, int64_t *height, struct err *err)
{
    char path[4096];
    const char *like = settings.like;
    if (path_is_folder(like)) {
        if (folder_find_image(like, name, path, sizeof path, err))
            return -1;
        like = path;
    }
    return size_of(like, width, height, err);
}

/* Of the image that lies beside its annotations, if it does. */
static void size_beside(const char *source, const char *name, int64_t *width, int64_t *height)
{
    char folder[4096], path[4096];
    struct err unused;
    const char *slash = strrchr(source, '/');
    int n = slash ? snprintf(folder, sizeof folder, "%.*s/", (int)(slash - source), source)
                  : snprintf(folder, sizeof folder, ".");
    if (strcmp(source, "-") != 0 && n < (int)sizeof folder &&
        folder_find_image(folder, name, path, sizeof path, &unused) == 0 &&
        size_of(path, width, height, &unused))
        *width = *height = 0;
}

static int get_size(const struct annot_image *image, const char *source, size_t shape[2],
                    struct err *err)
{
    int64_t width = settings.size[0], height = settings.size[1];
    if (settings.like && size_like(image->name, &width, &height, err))
        return -1;
    if (image->width > 0 && image->height > 0) {
        if (width && !annot_fits(image, width, height))
            return err_set(err, STATUS_DATA,
                           "'%s' is %lld x %lld pixels, its annotations are for %lld x %lld",
                           image->name, (long long)width, (long long)height,
                           (long long)image->width, (long long)image->height);
        width = width ? width : image->width;
        height = height ? height : image->height;
    }
    if (width == 0)
        size_beside(source, image->name, &width, &height);
    if (width == 0)
        return err_set(err, STATUS_USAGE,
                       "'%s': the annotations do not say the image's size; use --size or --like",
                       image->name);
    shape[0] = (size_t)height;
    shape[1] = (size_t)width;
    if (limits_check_pixels(width, height, err))
        return err_prefix(err, "'%s'", image->name);
    return 0;
}

/* ---- pixels ---- */

/* Says what of the image's objects is not to be seen, or not as it was. */
static void warn_of_objects(const struct annot_file *file, const struct annot_image *image,
                            const struct annot_counts *counts)
{
    const struct annot_left_out *left = annot_left_out(file);
    if (left->no_area)
        cli_warn("'%s': %zu objects without area are left out; %s", image->name, left->no_area,
                 left->first_no_area);
    if (left->broken)
        cli_warn("'%s': %zu broken objects are left out; %s", image->name, left->broken,
                 left->first_broken);
    some_failed |= left->broken > 0;
    if (counts->several_planes)
        cli_warn("'%s': objects of several planes of a stack are painted into one image; "
                 "--z, --t or --channel chooses",
                 image->name);
    if (counts->objects == 0 && counts->elsewhere)
        cli_warn("'%s': all %zu objects are on other planes", image->name, counts->elsewhere);
    if (counts->empty)
        cli_warn("'%s': %zu of %zu objects cover no pixel of the image", image->name, counts->empty,
                 counts->objects);
}

/* The file for an image that the annotations at `source` are about. */
static int choose_path(char *path, size_t size, const char *image, const char *source,
                       struct err *err)
{
    static struct names used;
    char stem[NAME_MAX + 1] = "";
    if (output.is_folder && names_new_stem(&used, image, stem, sizeof stem, err))
        return -1;
    return destination_file(&output, stem, source, image_format_ending(format_of_output()), path,
                            size, err);
}

static int paint(struct annot_file *file, size_t i, const char *path, struct array *pixels,
                 struct err *err)
{
    struct annot_image image = annot_image(file, i);
    struct annot_counts counts;
    if (annot_rasterize(file, i, &settings.raster, pixels, &counts, err) ||
        mask_file_write(path, format_of_output(), pixels, settings.raster.mode, counts.largest,
                        err))
        return -1;
    warn_of_objects(file, &image, &counts);
    return 0;
}

static int rasterize(struct annot_file *file, const char *source, size_t i, struct err *err)
{
    char path[4096];
    struct annot_image image = annot_image(file, i);
    struct spill room;
    size_t shape[2], bytes;
    if (choose_path(path, sizeof path, image.name, source, err) ||
        get_size(&image, source, shape, err) ||
        array_check_bytes(DTYPE_U32, 2, shape, &bytes, err) ||
        limits_check_memory(bytes, image.name, err) ||
        spill_new_claimed(&room, bytes, SIZE_MAX, err))
        return -1;
    struct array pixels = array_view(DTYPE_U32, 2, shape, room.data);
    int result = paint(file, i, path, &pixels, err);
    spill_free(&room);
    return result;
}

/* An image that fails does not keep a file from its others. */
static int rasterize_images(struct annot_file *file, const char *path, struct err *err)
{
    size_t count = annot_image_count(file), failed = 0;
    for (size_t i = 0; i < count; i++) {
        if (rasterize(file, path, i, err)) {
            if (count == 1 || err->status == STATUS_MEMORY || err->status == STATUS_IO)
                return -1;
            cli_warn_err(err);
            failed++;
        }
        cli_progress("images", i + 1, count);
    }
    some_failed |= failed > 0;
    return failed && failed == count ? err_set(err, err->status, "'%s': no image was written", path)
                                     : 0;
}

static int rasterize_file(const char *path, struct err *err)
{
    struct annot_file *file;
    if (annot_open(&file, path, err))
        return -1;
    if (annot_orphans(file))
        cli_warn("'%s': %zu annotations are of images that it does not list", path,
                 annot_orphans(file));
    size_t count = annot_image_count(file);
    int result = count != 1 && !output.is_folder
                     ? err_set(err, STATUS_USAGE, "'%s' is about %zu images; use -o with a folder",
                               path, count)
                     : rasterize_images(file, path, err);
    annot_close(file);
    return result;
}

int main(int argc, char **argv)
{
    struct err err;
    enum status status = STATUS_OK;
    cli_start(&program, argc, argv);
    check_options();
    prepare_output();
    int count = cli_operand_count();
    if (count == 0)
        cli_die_usage("no annotations");
    if (count > 1 && !output.is_folder)
        cli_die_usage("several files need -o with a folder");
    if (guard_inputs(cli_operands(), count, &err))
        cli_die_err(&err);
    for (int i = 0; i < count; i++)
        if (rasterize_file(cli_operands()[i], &err)) {
            cli_warn_err(&err);
            status = count == 1 ? err.status : STATUS_SOME_FAILED;
        }
    return cli_finish(status == STATUS_OK && some_failed ? STATUS_SOME_FAILED : status);
}
