#include "stream/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "stream/key.h"

#define MAX_MEMBERS 1000

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

struct member *sample_member(const struct sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->count; i++)
        if (strcmp(sample->members[i].name, name) == 0)
            return &sample->members[i];
    return NULL;
}

static int append(struct sample *sample, const char *name, struct member **member, struct err *err)
{
    if (!member_name_is_valid(name))
        return err_set(err, STATUS_DATA, "'%.100s' cannot be a member's name", name);
    if (sample->count == MAX_MEMBERS)
        return err_set(err, STATUS_DATA, "sample '%s' has more than %d members", sample->key,
                       MAX_MEMBERS);
    if (growing_room(&sample->members, sample->count, sizeof **member, err))
        return -1;
    *member = &sample->members[sample->count];
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
