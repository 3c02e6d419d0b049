#include "objects/components.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/growing.h"

struct run {
    size_t begin, end; /* columns, end not included */
    uint32_t value, label;
};

struct components {
    size_t width;
    size_t reach; /* 1 when runs that touch by a corner are of one object, else 0 */
    struct run *above, *here;
    size_t above_count, here_count;
    struct growing parents; /* union-find over provisional labels; then the final ones */
    uint32_t *parent;       /* of these, until the next label */
};

static void release(struct components *components)
{
    if (!components)
        return;
    free(components->above);
    free(components->here);
    growing_free(&components->parents);
    free(components);
}

static int start(struct components **components, size_t width, int connectivity, struct err *err)
{
    struct components *c = calloc(1, sizeof *c);
    if (!c)
        return err_memory(err, "connected components");
    uint32_t nothing = 0; /* the background's label */
    *c = (struct components){.width = width, .reach = connectivity == 8};
    c->parents.size = sizeof nothing;
    c->above = calloc(width + 1, sizeof *c->above);
    c->here = calloc(width + 1, sizeof *c->here);
    bool failed = growing_add(&c->parents, &nothing, err) != 0;
    c->parent = c->parents.items;
    if (!c->above || !c->here || failed) {
        release(c);
        return err_memory(err, "connected components");
    }
    *components = c;
    return 0;
}

static uint32_t root_of(uint32_t *parent, uint32_t label)
{
    while (parent[label] != label) {
        parent[label] = parent[parent[label]];
        label = parent[label];
    }
    return label;
}

/* The smaller root wins, so that a root is its object's first label. */
static uint32_t join(uint32_t *parent, uint32_t a, uint32_t b)
{
    a = root_of(parent, a);
    b = root_of(parent, b);
    uint32_t low = a < b ? a : b;
    parent[a] = parent[b] = low;
    return low;
}

static int new_label(struct components *c, uint32_t *label, struct err *err)
{
    if (c->parents.count == UINT32_MAX)
        return err_set(err, STATUS_DATA, "more than %u objects", UINT32_MAX - 1);
    *label = (uint32_t)c->parents.count;
    if (growing_add(&c->parents, label, err))
        return -1;
    c->parent = c->parents.items;
    return 0;
}

static size_t find_runs(const uint32_t *mask, size_t width, struct run *runs)
{
    size_t count = 0, x = 0;
    while (x < width) {
        uint32_t value = mask[x];
        size_t begin = x++;
        while (x < width && mask[x] == value)
            x++;
        if (value)
            runs[count++] = (struct run){begin, x, value, 0};
    }
    return count;
}

/* Gives the runs of this row the labels of those above that they touch. */
static int connect_runs(struct components *c, struct err *err)
{
    size_t first = 0;
    for (size_t i = 0; i < c->here_count; i++) {
        struct run *run = &c->here[i];
        while (first < c->above_count && c->above[first].end + c->reach <= run->begin)
            first++;
        for (size_t k = first; k < c->above_count && c->above[k].begin < run->end + c->reach; k++)
            if (c->above[k].value == run->value)
                run->label = run->label ? join(c->parent, run->label, c->above[k].label)
                                        : root_of(c->parent, c->above[k].label);
        if (!run->label && new_label(c, &run->label, err))
            return -1;
    }
    return 0;
}

static void write_runs(const struct components *c, uint32_t *labels)
{
    memset(labels, 0, c->width * sizeof *labels);
    for (size_t i = 0; i < c->here_count; i++)
        for (size_t x = c->here[i].begin; x < c->here[i].end; x++)
            labels[x] = c->here[i].label;
}

/* Labels are provisional: objects that meet further down have several. */
static int label_row(struct components *components, const uint32_t *mask, uint32_t *provisional,
                     struct err *err)
{
    struct components *c = components;
    c->here_count = find_runs(mask, c->width, c->here);
    if (connect_runs(c, err))
        return -1;
    write_runs(c, provisional);
    struct run *spare = c->above;
    c->above = c->here;
    c->above_count = c->here_count;
    c->here = spare;
    return 0;
}

static uint32_t finish(struct components *components)
{
    uint32_t count = 0, *parent = components->parent;
    for (size_t i = 1; i < components->parents.count; i++)
        parent[i] = parent[i] == i ? ++count : parent[parent[i]];
    return count;
}

static void write_final(const struct components *components, uint32_t *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        labels[i] = components->parent[labels[i]];
}

int components_label(const uint32_t *mask, size_t height, size_t width, int connectivity,
                     uint32_t *labels, uint32_t *count, struct err *err)
{
    struct components *c = NULL;
    if (start(&c, width, connectivity, err))
        return -1;
    int rc = 0;
    for (size_t y = 0; rc == 0 && y < height; y++)
        rc = label_row(c, mask + y * width, labels + y * width, err);
    if (rc == 0) {
        *count = finish(c);
        write_final(c, labels, height * width);
    }
    release(c);
    return rc;
}
