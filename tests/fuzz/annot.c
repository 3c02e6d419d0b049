#include "annot/annot.h"
#include "tests/fuzz/fuzz.h"

static void rasterize(struct annot_file *file, size_t image)
{
    static const char *const classes[] = {"cell"};
    struct annot_raster options = {
        .mode = image & 1 ? ANNOT_INSTANCES : ANNOT_CLASSES, .classes = classes, .class_count = 1};
    struct annot_counts counts;
    struct array pixels;
    struct err err;
    if (array_new(&pixels, DTYPE_U32, 2, (size_t[]){61, 67}, &err))
        abort();
    if (annot_rasterize(file, image, &options, &pixels, &counts, &err) == 0 &&
        counts.empty > counts.objects)
        abort();
    array_free(&pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct annot_file *file;
    struct err err;
    if (annot_open(&file, fuzz_file(data, size), &err))
        return 0;
    for (size_t i = 0; i < 4; i++)
        if (i < annot_image_count(file))
            rasterize(file, i);
    if (annot_image_count(file) == 1)
        rasterize(file, 0);
    annot_close(file);
    return 0;
}
