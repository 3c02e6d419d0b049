#include "image/planes.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/num.h"

struct planes_chosen planes_chosen;

static const char *const projections[] = {"", "max", "min", "mean"};

static enum planes_projection projection_of(const char *text)
{
    for (int i = PLANES_MAX; i <= PLANES_MEAN; i++)
        if (strcasecmp(text, projections[i]) == 0)
            return (enum planes_projection)i;
    return PLANES_ONE;
}

/* ---- checking what the user typed ---- */

static int check_pick(const char *text, struct err *err)
{
    int64_t number;
    struct err unused;
    if (projection_of(text) || num_int(text, 1, INT32_MAX, &number, &unused) == 0)
        return 0;
    return err_set(err, STATUS_USAGE, "'%s' is no number from 1, nor max, min or mean", text);
}

static int check_list(const char *text, struct err *err)
{
    for (const char *p = text; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (strcspn(p, ",") == 0 || (*p == '0' && strcspn(p, ",") == 1))
            return err_set(err, STATUS_USAGE, "'%s' is no list of numbers from 1 or names", text);
    return 0;
}

int planes_read_channel(const char *text, struct err *err)
{
    planes_chosen.image.channel = text;
    return check_list(text, err);
}

int planes_read_mask_channel(const char *text, struct err *err)
{
    planes_chosen.mask_channel = text;
    return check_list(text, err);
}

int planes_read_z(const char *text, struct err *err)
{
    planes_chosen.image.z = text;
    return check_pick(text, err);
}

int planes_read_t(const char *text, struct err *err)
{
    planes_chosen.image.t = text;
    return check_pick(text, err);
}

/* ---- finding it in the file ---- */

/* "1 (DAPI), 2 (GFP)" or "1 to 5" */
static void list_planes(const struct planes_axis *axis, char *to, size_t size)
{
    size_t n = 0;
    bool named = axis->names && axis->count <= 16;
    for (int64_t i = 0; named && i < axis->count; i++)
        named = axis->names[i] != NULL;
    if (!named)
        snprintf(to, size, axis->count > 1 ? "1 to %lld" : "1", (long long)axis->count);
    for (int64_t i = 0; named && i < axis->count && n < size; i++)
        n += (size_t)snprintf(to + n, size - n, "%s%lld (%s)", i ? ", " : "", (long long)i + 1,
                              axis->names[i]);
}

static int absent(const struct planes_axis *axis, const char *text, size_t length, struct err *err)
{
    char list[300];
    list_planes(axis, list, sizeof list);
    return err_set(err, STATUS_DATA, "there is no %s %.*s, there is %s", axis->word, (int)length,
                   text, list);
}

/* A number from 1, or a name whatever its case; from 0. */
static int find(const char *text, size_t length, const struct planes_axis *axis, int64_t *index,
                struct err *err)
{
    char word[200];
    struct err unused;
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    if (num_int(word, 1, axis->count, index, &unused) == 0) {
        --*index;
        return 0;
    }
    for (int64_t i = 0; axis->names && i < axis->count; i++)
        if (axis->names[i] && strcasecmp(axis->names[i], word) == 0) {
            *index = i;
            return 0;
        }
    return absent(axis, text, length, err);
}

static int all_channels(const struct planes_axis *axis, int *channels, struct err *err)
{
    if (axis->count > PLANES_MAX_CHANNELS)
        return err_set(err, STATUS_DATA,
                       "%lld channels at once are not supported, at most %d are: choose by %s",
                       (long long)axis->count, PLANES_MAX_CHANNELS, axis->option);
    for (int i = 0; i < axis->count; i++)
        channels[i] = i;
    return (int)axis->count;
}

int planes_channels(const char *text, const struct planes_axis *axis, int *channels,
                    struct err *err)
{
    int count = 0;
    if (!text || strcasecmp(text, "all") == 0)
        return all_channels(axis, channels, err);
    for (const char *p = text; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        int64_t index;
        if (count == PLANES_MAX_CHANNELS)
            return err_set(err, STATUS_DATA, "more than %d channels", PLANES_MAX_CHANNELS);
        if (find(p, strcspn(p, ","), axis, &index, err))
            return -1;
        channels[count++] = (int)index;
    }
    return count;
}

int planes_pick(const char *text, const struct planes_axis *axis, struct planes_pick *pick,
                struct err *err)
{
    *pick = (struct planes_pick){PLANES_ONE, 0};
    if (!text)
        return 0;
    pick->projection = projection_of(text);
    if (pick->projection != PLANES_ONE)
        return 0;
    return find(text, strlen(text), axis, &pick->index, err);
}
