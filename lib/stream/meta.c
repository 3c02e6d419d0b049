/* KEY.json: where a tile comes from. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "stream/sample.h"

#define MAX_PIXELS  INT64_C(0x7fffffff)
#define MAX_INTEGER (INT64_C(1) << 53) /* what a double, and so JavaScript, keeps exactly */

/* How the fields of struct tile_meta are called in KEY.json. */
static const struct integer_field {
    const char *group, *name;
    size_t offset;
    int64_t min, max;
} integers[] = {
    {"source", "width", offsetof(struct tile_meta, source_width), 0, MAX_PIXELS},
    {"source", "height", offsetof(struct tile_meta, source_height), 0, MAX_PIXELS},
    {"source", "mask_unit", offsetof(struct tile_meta, mask_unit), 0, 65535},
    {"tile", "x", offsetof(struct tile_meta, x), -MAX_PIXELS, MAX_PIXELS},
    {"tile", "y", offsetof(struct tile_meta, y), -MAX_PIXELS, MAX_PIXELS},
    {"tile", "width", offsetof(struct tile_meta, width), 0, MAX_PIXELS},
    {"tile", "height", offsetof(struct tile_meta, height), 0, MAX_PIXELS},
    {"tile", "index", offsetof(struct tile_meta, index), 0, MAX_INTEGER},
    {"tile", "count", offsetof(struct tile_meta, count), 0, MAX_INTEGER},
    {"padding", "left", offsetof(struct tile_meta, pad_left), 0, MAX_PIXELS},
    {"padding", "top", offsetof(struct tile_meta, pad_top), 0, MAX_PIXELS},
    {"padding", "right", offsetof(struct tile_meta, pad_right), 0, MAX_PIXELS},
    {"padding", "bottom", offsetof(struct tile_meta, pad_bottom), 0, MAX_PIXELS},
};

static const struct real_field {
    const char *group, *name;
    size_t offset;
    double min, max, absent;
    bool left_out; /* when it is absent */
} reals[] = {
    {"source", "pixel_width_um", offsetof(struct tile_meta, pixel_width), 0, 1e9, 0, false},
    {"source", "pixel_height_um", offsetof(struct tile_meta, pixel_height), 0, 1e9, 0, false},
    {"source", "full_width", offsetof(struct tile_meta, full_width), 0, 1e9, 0, true},
    {"source", "full_height", offsetof(struct tile_meta, full_height), 0, 1e9, 0, true},
    {"scale", "x", offsetof(struct tile_meta, scale_x), 1e-9, 1e9, 1, false},
    {"scale", "y", offsetof(struct tile_meta, scale_y), 1e-9, 1e9, 1, false},
    {"normalisation", "offset", offsetof(struct tile_meta, normalize_offset), -1e300, 1e300, 0,
     false},
    {"normalisation", "gain", offsetof(struct tile_meta, normalize_gain), -1e300, 1e300, 0, false},
    {"range", "low", offsetof(struct tile_meta, range_low), -1e300, 1e300, 0, true},
    {"range", "high", offsetof(struct tile_meta, range_high), -1e300, 1e300, 0, true},
    {"network", "scale", offsetof(struct tile_meta, network_scale), 0, 1e9, 0, true},
    {"cells", "diameter", offsetof(struct tile_meta, cell_diameter), 0, 1e9, 0, true},
};

static const struct {
    const char *name;
    size_t offset;
    int max;
} counts[] = {
    {"channels", offsetof(struct tile_meta, source_channels), 65535},
    {"bits", offsetof(struct tile_meta, source_bits), 64},
};

#define TEXT(member) offsetof(struct tile_meta, member), sizeof(((struct tile_meta *)0)->member)

static const struct text_field {
    const char *group, *name; /* group: NULL for the object itself */
    size_t offset, size;
    bool left_out; /* when it is empty */
} texts[] = {
    {"source", "name", TEXT(source), false},
    {"source", "id", TEXT(id), true},
    {"source", "incomplete", TEXT(incomplete), true},
    {"cells", "flows", TEXT(flows), true},
    {NULL, "__key__", TEXT(key), true}, /* as WebDataset calls it */
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void *field(const void *meta, size_t offset)
{
    return (char *)meta + offset;
}

/* ---- reading ---- */

static int wrong_type(const char *group, const char *name, struct err *err)
{
    return err_set(err, STATUS_DATA, "%s.%s is missing its number or out of range", group, name);
}

static int get_integer(const json_t *root, const char *group, const char *name, int64_t min,
                       int64_t max, int64_t *value, struct err *err)
{
    const json_t *item = json_object_get(json_object_get(root, group), name);
    *value = 0;
    if (!item)
        return 0;
    *value = json_integer_value(item);
    if (!json_is_integer(item) || *value < min || *value > max)
        return wrong_type(group, name, err);
    return 0;
}

static int get_real(const json_t *root, const struct real_field *f, double *value, struct err *err)
{
    const json_t *item = json_object_get(json_object_get(root, f->group), f->name);
    *value = f->absent;
    if (!item)
        return 0;
    *value = json_number_value(item);
    if (!json_is_number(item) || !(*value >= f->min && *value <= f->max))
        return wrong_type(f->group, f->name, err);
    return 0;
}

static int get_text(const json_t *root, const struct text_field *f, char *to, struct err *err)
{
    const json_t *group = f->group ? json_object_get(root, f->group) : root;
    const json_t *text = json_object_get(group, f->name);
    if (!text)
        return 0;
    if (!json_is_string(text) || json_string_length(text) >= f->size)
        return err_set(err, STATUS_DATA, "%s is no text of fewer than %zu bytes", f->name, f->size);
    memcpy(to, json_string_value(text), json_string_length(text) + 1);
    return 0;
}

static int get_fields(const json_t *root, struct tile_meta *meta, struct err *err)
{
    for (size_t i = 0; i < COUNT(integers); i++) {
        const struct integer_field *f = &integers[i];
        if (get_integer(root, f->group, f->name, f->min, f->max, field(meta, f->offset), err))
            return -1;
    }
    for (size_t i = 0; i < COUNT(counts); i++) {
        int64_t value;
        if (get_integer(root, "source", counts[i].name, 0, counts[i].max, &value, err))
            return -1;
        *(int *)field(meta, counts[i].offset) = (int)value;
    }
    for (size_t i = 0; i < COUNT(reals); i++)
        if (get_real(root, &reals[i], field(meta, reals[i].offset), err))
            return -1;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (get_text(root, &texts[i], field(meta, texts[i].offset), err))
            return -1;
    return 0;
}

static json_t *load(const struct sample *sample, const struct member *member, struct err *err)
{
    json_error_t error;
    json_t *root = json_load_whole(member->bytes, member->size, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        err_set(err, STATUS_DATA, "'%s.json': %s", sample->key, error.text);
    else if (!json_is_object(root))
        err_set(err, STATUS_DATA, "'%s.json' is not a JSON object", sample->key);
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

int sample_get_meta(const struct sample *sample, struct tile_meta *meta, struct err *err)
{
    *meta = (struct tile_meta){0};
    const struct member *member = sample_member(sample, "json");
    if (!member)
        return 1;
    json_t *root = load(sample, member, err);
    if (!root)
        return -1;
    int result = get_fields(root, meta, err);
    json_decref(root);
    return result ? err_prefix(err, "'%s.json'", sample->key) : 0;
}

/* ---- what a network sees ---- */

void sample_scale(const struct tile_meta *meta, enum dtype dtype, bool ranges, double *offset,
                  double *gain)
{
    *offset = meta->normalize_gain != 0 ? meta->normalize_offset : 0;
    *gain = meta->normalize_gain;
    if (*gain != 0)
        return;
    if (!ranges) {
        *gain = dtype == DTYPE_U8 ? 1 / 255. : dtype == DTYPE_U16 ? 1 / 65535. : 1;
    } else if (meta->range_high > meta->range_low) {
        *offset = meta->range_low;
        *gain = 1 / (meta->range_high - meta->range_low);
    }
}

/* ---- writing ---- */

/* Sets root.group.name, keeping what else the group has. */
static int put(json_t *root, const char *group, const char *name, json_t *value)
{
    json_t *object = group ? json_object_get(root, group) : root;
    if (!json_is_object(object)) {
        object = json_object();
        if (json_object_set_new(root, group, object)) {
            json_decref(value);
            return -1;
        }
    }
    return json_object_set_new(object, name, value);
}

/* What is put must be read again. */
static int check_texts(const struct tile_meta *meta, struct err *err)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        json_t *text = json_from_text(field(meta, texts[i].offset));
        bool fits = json_string_length(text) < texts[i].size;
        json_decref(text);
        if (!text)
            return err_memory(err, "KEY.json");
        if (!fits)
            return err_set(err, STATUS_DATA, "%s is too long", texts[i].name);
    }
    return 0;
}

static int check_numbers(const struct tile_meta *meta, struct err *err)
{
    for (size_t i = 0; i < COUNT(reals); i++)
        if (!isfinite(*(double *)field(meta, reals[i].offset)))
            return err_set(err, STATUS_BUG, "%s.%s: a number that JSON cannot hold", reals[i].group,
                           reals[i].name);
    return 0;
}

static void leave_out(json_t *root, const char *group, const char *name)
{
    json_object_del(group ? json_object_get(root, group) : root, name);
}

static int put_fields(json_t *root, const struct tile_meta *meta)
{
    int failed = 0;
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *text = field(meta, texts[i].offset);
        if (*text || !texts[i].left_out)
            failed |= put(root, texts[i].group, texts[i].name, json_from_text(text));
        else
            leave_out(root, texts[i].group, texts[i].name);
    }
    for (size_t i = 0; i < COUNT(counts); i++)
        failed |= put(root, "source", counts[i].name,
                      json_integer(*(int *)field(meta, counts[i].offset)));
    for (size_t i = 0; i < COUNT(integers); i++)
        failed |= put(root, integers[i].group, integers[i].name,
                      json_integer(*(int64_t *)field(meta, integers[i].offset)));
    for (size_t i = 0; i < COUNT(reals); i++)
        if (!reals[i].left_out || *(double *)field(meta, reals[i].offset) != reals[i].absent)
            failed |= put(root, reals[i].group, reals[i].name,
                          json_real(*(double *)field(meta, reals[i].offset)));
        else
            leave_out(root, reals[i].group, reals[i].name);
    return failed;
}

int sample_put_meta(struct sample *sample, const struct tile_meta *meta, struct err *err)
{
    const struct member *member = sample_member(sample, "json");
    if (check_texts(meta, err) || check_numbers(meta, err))
        return err_prefix(err, "'%s.json'", sample->key);
    json_t *root = member ? load(sample, member, err) : json_object();
    if (!root)
        return member ? -1 : err_memory(err, "KEY.json");
    char *text = put_fields(root, meta) ? NULL : json_dump_whole(root, JSON_COMPACT);
    json_decref(root);
    int result = text ? sample_put_bytes(sample, "json", text, strlen(text), err)
                      : err_memory(err, "KEY.json");
    free(text);
    return result;
}

int sample_note_key(struct sample *sample, const char *key, struct err *err)
{
    const struct member *member = sample_member(sample, "json");
    json_t *root = member ? json_load_whole(member->bytes, member->size, JSON_DECODE_ANY, NULL)
                          : json_object();
    char *text = NULL;
    bool is_known = root && (!json_is_object(root) || json_object_get(root, "__key__"));
    if (root && !is_known && json_object_set_new(root, "__key__", json_from_text(key)) == 0)
        text = json_dump_whole(root, JSON_COMPACT);
    json_decref(root);
    if (is_known)
        return 0;
    int result = text ? sample_put_bytes(sample, "json", text, strlen(text), err)
                      : err_memory(err, "KEY.json");
    free(text);
    return result;
}
