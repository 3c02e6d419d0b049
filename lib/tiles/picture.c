#include "tiles/picture.h"

int picture_add(struct picture *picture, enum picture_part part, size_t planes, struct err *err)
{
    size_t shape[] = {planes, picture->height, picture->width}, bytes;
    if (array_check_bytes(DTYPE_U32, 3, shape, &bytes, err) ||
        spill_new(&picture->room[part], bytes, err))
        return -1;
    picture_point(picture);
    return 0;
}

void picture_point(struct picture *picture)
{
    const struct spill *room = picture->room;
    picture->prediction = room[PICTURE_PREDICTION].data;
    picture->truth = room[PICTURE_TRUTH].data;
    picture->foreground = room[PICTURE_FOREGROUND].data;
    picture->uncertainty = room[PICTURE_UNCERTAINTY].data;
    picture->values = room[PICTURE_VALUES].data;
    picture->flows = room[PICTURE_FLOWS].data;
}

void picture_free(struct picture *picture)
{
    for (int part = 0; part < PICTURE_PARTS; part++)
        spill_free(&picture->room[part]);
    *picture = (struct picture){0};
}
