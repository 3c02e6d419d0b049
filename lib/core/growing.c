#include "core/growing.h"

#include <stdlib.h>
#include <string.h>

#include "core/num.h"

int growing_add_all(struct growing *list, const void *items, size_t count, struct err *err)
{
    size_t needed, bytes, room = list->room;
    if (!num_add(list->count, count, &needed))
        return err_memory(err, "a list");
    if (needed > room) {
        room = room ? 2 * room : 16;
        room = room < needed ? needed : room;
        void *grown = num_mul(room, list->size, &bytes) ? realloc(list->items, bytes) : NULL;
        if (!grown)
            return err_memory(err, "a list");
        list->items = grown;
        list->room = room;
    }
    if (count)
        memcpy((char *)list->items + list->count * list->size, items, count * list->size);
    list->count = needed;
    return 0;
}

int growing_add(struct growing *list, const void *item, struct err *err)
{
    return growing_add_all(list, item, 1, err);
}

int growing_room(void *array, size_t count, size_t size, struct err *err)
{
    void *items;
    size_t bytes;
    if (count & (count - 1))
        return 0;
    memcpy(&items, array, sizeof items);
    items = num_mul(count ? 2 * count : 1, size, &bytes) ? realloc(items, bytes) : NULL;
    if (!items)
        return err_memory(err, "a list");
    memcpy(array, &items, sizeof items);
    return 0;
}

void growing_free(struct growing *list)
{
    free(list->items);
    list->items = NULL;
    list->count = list->room = 0;
}
