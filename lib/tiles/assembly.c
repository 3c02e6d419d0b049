#include "tiles/assembly.h"

#include <stdio.h>
#include <string.h>

int assembly_finish(struct assembly *assembly, struct err *err)
{
    struct assembly *a = assembly;
    if (!a->open)
        return 0;
    a->open = false;
    struct picture image = {.name = NULL};
    int rc = canvas_finish(&a->canvas, &image, err);
    canvas_free(&a->canvas);
    if (rc == 0)
        rc = a->take(a->user, &image, err);
    picture_free(&image);
    return rc;
}

void assembly_free(struct assembly *assembly)
{
    canvas_free(&assembly->canvas);
    names_free(&assembly->finished);
    assembly->open = false;
}

static int begin(struct assembly *a, const struct assembly_tile *tile, struct err *err)
{
    struct canvas_rules rules = {.width = tile->alone ? tile->tile.width : tile->image_width,
                                 .height = tile->alone ? tile->tile.height : tile->image_height,
                                 .planes = tile->tile.values->shape[0],
                                 .has_uncertainty = tile->tile.uncertainty != NULL,
                                 .has_flows = tile->tile.flows != NULL,
                                 .threshold = a->threshold,
                                 .wanted = a->wanted};
    snprintf(a->name, sizeof a->name, "%s", tile->name);
    int is_new = tile->alone ? 1 : names_add(&a->finished, a->name, err);
    if (is_new < 0)
        return -1;
    if (!is_new)
        return err_set(err, STATUS_DATA, "the tiles of '%s' do not follow each other", a->name);
    if (canvas_new(&a->canvas, &rules, err))
        return -1;
    struct picture *image = &a->canvas.picture;
    image->name = a->name;
    image->pixel_width = tile->pixel_width;
    image->pixel_height = tile->pixel_height;
    a->open = true;
    return 0;
}

int assembly_add(struct assembly *assembly, const struct assembly_tile *tile, struct err *err)
{
    struct assembly *a = assembly;
    bool other = tile->alone || strcmp(tile->name, a->name) != 0;
    if (a->open && other && a->only_one)
        return err_set(err, STATUS_USAGE, "several images need a folder, -o DIR/");
    if (a->open && other && assembly_finish(a, err))
        return -1;
    if (!a->open && begin(a, tile, err))
        return -1;
    if (!tile->alone && (tile->image_width != a->canvas.rules.width ||
                         tile->image_height != a->canvas.rules.height))
        return err_set(err, STATUS_DATA, "'%s' has tiles of several sizes or scales", a->name);
    return canvas_add(&a->canvas, &tile->tile, err);
}
