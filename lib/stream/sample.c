#include "stream/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/names.h"

#define MAX_MEMBERS 1000

/* ---- names ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool sample_key_is_valid(const char *key)
{
    bool at_start = true;
    for (const char *p = key; *p; p++) {
        if (p - key >= SAMPLE_MAX_NAME || (!is_word(*p) && *p != '/') ||
            (at_start && (*p == '-' || *p == '/')))
            return false;
        at_start = *p == '/';
    }
    return !at_start;
}

/* What follows the key: words between single dots. */
static bool name_is_valid(const char *name)
{
    bool at_start = true;
    for (const char *p = name; *p; p++) {
        if (p - name >= SAMPLE_MAX_NAME || (*p == '.' ? at_start : !is_word(*p)))
            return false;
        at_start = *p == '.';
    }
    return !at_start;
}

char *sample_key_from_path(const char *path)
{
    size_t length;
    const char *base = names_stem(path, &length);
    if (length > SAMPLE_MAX_NAME)
        length = SAMPLE_MAX_NAME;
    char *key = malloc(length + 2);
    if (!key)
        return NULL;
    for (size_t i = 0; i < length; i++)
        key[i] = is_word(base[i]) ? base[i] : '_';
    if (length == 0)
        key[length++] = '_';
    if (key[0] == '-')
        key[0] = '_';
    key[length] = 0;
    return key;
}

void sample_image_key(const char *key, char *image, size_t size)
{
    snprintf(image, size, "%s", key);
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(image, '/');
        if (slash)
            *slash = '\0';
    }
}

/* ---- members ---- */

static void clear_member(struct member *member)
{
    array_free(&member->array);
    free(member->bytes);
    member->bytes = NULL;
    member->size = 0;
}

int sample_init(struct sample *sample, const char *key, struct err *err)
{
    *sample = (struct sample){0};
    if (!sample_key_is_valid(key))
        return err_set(err, STATUS_DATA, "'%.100s' cannot be a key", key);
    sample->key = strdup(key);
    return sample->key ? 0 : err_memory(err, "a sample");
}

void sample_free(struct sample *sample)
{
    for (size_t i = 0; i < sample->count; i++) {
        clear_member(&sample->members[i]);
        free(sample->members[i].name);
    }
    free(sample->members);
    free(sample->key);
    *sample = (struct sample){0};
}

int sample_rename(struct sample *sample, const char *key, struct err *err)
{
    if (!sample_key_is_valid(key))
        return err_set(err, STATUS_DATA, "'%.100s' cannot be a key", key);
    char *copy = strdup(key);
    if (!copy)
        return err_memory(err, "a key");
    free(sample->key);
    sample->key = copy;
    return 0;
}

struct member *sample_member(const struct sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->count; i++)
        if (strcmp(sample->members[i].name, name) == 0)
            return &sample->members[i];
    return NULL;
}

static int append(struct sample *sample, const char *name, struct member **member, struct err *err)
{
    if (!name_is_valid(name))
        return err_set(err, STATUS_DATA, "'%.100s' cannot be a member's name", name);
    if (sample->count == MAX_MEMBERS)
        return err_set(err, STATUS_DATA, "sample '%s' has more than %d members", sample->key,
                       MAX_MEMBERS);
    struct member *members = realloc(sample->members, (sample->count + 1) * sizeof *members);
    if (!members)
        return err_memory(err, "a sample");
    sample->members = members;
    *member = &members[sample->count];
    **member = (struct member){.name = strdup(name)};
    if (!(*member)->name)
        return err_memory(err, "a sample");
    sample->count++;
    return 0;
}

int sample_add_member(struct sample *sample, const struct member *member, struct err *err)
{
    struct member *added;
    if (sample_member(sample, member->name))
        return err_set(err, STATUS_DATA, "sample '%s' has '%s' twice", sample->key, member->name);
    if (append(sample, member->name, &added, err))
        return -1;
    char *name = added->name;
    *added = *member;
    added->name = name;
    return 0;
}

/* The member of that name, emptied, or a new one. */
static int renew(struct sample *sample, const char *name, struct member **member, struct err *err)
{
    *member = sample_member(sample, name);
    if (!*member)
        return append(sample, name, member, err);
    clear_member(*member);
    return 0;
}

/* "NAME.npy"; false when that is too long. */
static bool file_name(char to[SAMPLE_MAX_NAME + 1], const char *name)
{
    return snprintf(to, SAMPLE_MAX_NAME + 1, "%s.npy", name) <= SAMPLE_MAX_NAME;
}

struct array *sample_array(const struct sample *sample, const char *name)
{
    char full[SAMPLE_MAX_NAME + 1];
    struct member *member = file_name(full, name) ? sample_member(sample, full) : NULL;
    return member && member->is_array ? &member->array : NULL;
}

int sample_put_array(struct sample *sample, const char *name, struct array *array, struct err *err)
{
    struct member *member;
    struct array taken = *array;
    char full[SAMPLE_MAX_NAME + 1];
    *array = (struct array){0};
    if (!file_name(full, name) || renew(sample, full, &member, err)) {
        array_free(&taken);
        return -1;
    }
    member->is_array = true;
    member->array = taken;
    return 0;
}

int sample_put_bytes(struct sample *sample, const char *name, const void *bytes, size_t size,
                     struct err *err)
{
    struct member *member;
    unsigned char *copy = malloc(size + 1);
    if (!copy)
        return err_memory(err, "a member");
    if (renew(sample, name, &member, err)) {
        free(copy);
        return -1;
    }
    if (size)
        memcpy(copy, bytes, size);
    member->is_array = false;
    member->bytes = copy;
    member->size = size;
    return 0;
}

void sample_drop_array(struct sample *sample, const char *name)
{
    char full[SAMPLE_MAX_NAME + 1];
    struct member *member = file_name(full, name) ? sample_member(sample, full) : NULL;
    if (!member)
        return;
    clear_member(member);
    free(member->name);
    size_t after = sample->count - (size_t)(member - sample->members) - 1;
    memmove(member, member + 1, after * sizeof *member);
    sample->count--;
}

/* ---- what tensor-stream(5) allows for the names it knows ---- */

#define BIT(dtype) (1u << (dtype))

static const struct {
    const char *name;
    int ndim;
    size_t planes; /* 0: any number */
    unsigned dtypes;
    const char *wanted;
} rules[] = {
    {"image", 3, 0, BIT(DTYPE_U8) | BIT(DTYPE_U16) | BIT(DTYPE_F32),
     "height x width x channels of uint8, uint16 or float32"},
    {"mask", 2, 0, BIT(DTYPE_U8) | BIT(DTYPE_U16) | BIT(DTYPE_U32),
     "height x width of uint8, uint16 or uint32"},
    {"prob", 3, 0, BIT(DTYPE_F16) | BIT(DTYPE_F32),
     "classes x height x width of float16 or float32"},
    {"logits", 3, 0, BIT(DTYPE_F32), "channels x height x width of float32"},
    {"flows", 3, 2, BIT(DTYPE_F16) | BIT(DTYPE_F32), "2 x height x width of float16 or float32"},
    {"uncertainty", 2, 0, BIT(DTYPE_F16) | BIT(DTYPE_F32), "height x width of float16 or float32"},
};

struct array *sample_require(const struct sample *sample, const char *name, struct err *err)
{
    struct array *array = sample_array(sample, name);
    if (!array) {
        err_set(err, STATUS_DATA, "'%s.%s.npy' is missing", sample->key, name);
        return NULL;
    }
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(name, rules[i].name) != 0)
            continue;
        if (array->ndim != rules[i].ndim || !(rules[i].dtypes & BIT(array->dtype)) ||
            (rules[i].planes && array->shape[0] != rules[i].planes) || array_count(array) == 0) {
            err_set(err, STATUS_DATA, "'%s.%s.npy' is not %s", sample->key, name, rules[i].wanted);
            return NULL;
        }
    }
    return array;
}
