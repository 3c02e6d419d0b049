/* JSON: COCO, GeoJSON, LabelMe, VIA. */
#include "tests/fuzz/annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return annotations_read(data, size, NULL);
}
