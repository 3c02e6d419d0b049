/* TIFFs with what chooses among their planes in the last four bytes. */
#include "tests/fuzz/pixels.h"

static const char *const slices[] = {NULL, "1", "2", "max", "min", "mean", NULL, NULL};
static const char *const channels[] = {NULL, "1", "2", "1,2", "all", "red", "3,1", NULL};

static void choose(const uint8_t *bytes)
{
    planes_chosen.image = (struct image_planes){.channel = channels[bytes[0] & 7],
                                                .z = slices[bytes[1] & 7],
                                                .t = slices[bytes[1] >> 3 & 7],
                                                .series = bytes[2] & 4 ? "2" : NULL,
                                                .level = bytes[2] & 1};
    if (bytes[3] & 1)
        planes_chosen.image.um_per_pixel = 0.1 * (bytes[3] >> 1);
    planes_chosen.mask_channel = bytes[2] & 2 ? "1" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 4)
        choose(data + size - 4);
    return pixels_read_all(data, size);
}
