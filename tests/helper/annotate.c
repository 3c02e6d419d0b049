/* annotate FORMAT OUT IMAGE...: writes label images as annotations, for the tests
 * of what other programs make of them.  FORMAT: roi, geojson, coco, rle, svg, labelme. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annot/annot.h"
#include "image/mask.h"

static int fail(const struct err *err)
{
    fprintf(stderr, "annotate: %s\n", err->message);
    return err->status;
}

static int put(struct annot_writer *writer, const char *path, struct err *err)
{
    struct image_info info;
    uint32_t *pixels;
    if (mask_load_labels(path, &info, &pixels, err))
        return -1;
    struct annot_image image = {.name = path};
    struct array labels =
        array_view(DTYPE_U32, 2, (size_t[]){(size_t)info.height, (size_t)info.width}, pixels);
    int result = annot_put(writer, &image, &labels, NULL, NULL, err);
    free(pixels);
    return result;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"roi", "geojson", "coco", "rle", "svg", "labelme"};
    struct annot_writer *writer;
    struct err err;
    int format = 0;
    if (argc < 4)
        return 64;
    while (format < 6 && strcmp(names[format], argv[1]) != 0)
        format++;
    if (annot_create(&writer, argv[2], (enum annot_format)format, &err))
        return fail(&err);
    for (int i = 3; i < argc; i++)
        if (put(writer, argv[i], &err)) {
            annot_abort(writer);
            return fail(&err);
        }
    return annot_commit(writer, &err) ? fail(&err) : 0;
}
