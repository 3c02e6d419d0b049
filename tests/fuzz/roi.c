/* ImageJ's outlines: .roi, zips of them, and TIFFs that have them inside; and what was painted is
 * written and read again as the same. */
#include "tests/fuzz/annotations.h"
#include "tests/fuzz/zip.h"

FUZZ_PARTS(&zip_kind)

#define MOST 500 /* objects that a pipe has room for */

static bool few_objects(const uint32_t *labels)
{
    struct boxes boxes;
    struct err err;
    if (boxes_of(&boxes, labels, ANNOTATIONS_HEIGHT, ANNOTATIONS_WIDTH, &err))
        abort();
    bool few = boxes.count <= MOST;
    boxes_free(&boxes);
    return few;
}

static void write_labels(const char *path, const uint32_t *labels)
{
    const struct annot_image image = {"a", ANNOTATIONS_WIDTH, ANNOTATIONS_HEIGHT};
    struct array pixels = array_view(
        DTYPE_U32, 2, (size_t[]){ANNOTATIONS_HEIGHT, ANNOTATIONS_WIDTH}, (void *)(uintptr_t)labels);
    struct annot_writer *writer;
    struct err err;
    if (annot_create(&writer, path, ANNOT_ROI_ZIP, &err) ||
        annot_put(writer, &image, &pixels, NULL, NULL, &err) || annot_commit(writer, &err))
        abort();
}

static void read_labels(const char *path, uint32_t *labels)
{
    struct annot_file *file;
    struct err err;
    if (annot_open(&file, path, &err))
        abort();
    annotations_paint(file, 0, 1, labels);
    annot_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t labels[ANNOTATIONS_HEIGHT * ANNOTATIONS_WIDTH], back[sizeof labels / 4];
    struct fuzz_pipe pipe;
    memset(labels, 0, sizeof labels);
    annotations_read(data, size, labels);
    if (!few_objects(labels))
        return 0;
    fuzz_pipe_open(&pipe);
    write_labels(pipe.to, labels);
    close(pipe.ends[1]);
    memset(back, 0, sizeof back);
    read_labels(pipe.from, back);
    close(pipe.ends[0]);
    if (memcmp(labels, back, sizeof back) != 0)
        abort();
    return 0;
}
