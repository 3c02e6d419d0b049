#include "weights/pickle.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "weights/bytes.h"
#include "weights/pickle_globals.h"

#define MAX_VALUES   (1u << 21)
#define BLOCK_VALUES 512

enum { REDUCE = 'R', NEWOBJ = 0x81, NEWOBJ_EX = 0x92 };

struct pickle_block {
    struct pickle_block *next;
    size_t used;
    struct pickle_value values[BLOCK_VALUES];
};

struct machine {
    struct pickle *pickle;
    const unsigned char *at, *end;
    struct pickle_value **stack, **memo;
    size_t depth, stack_capacity, memo_capacity, memo_count;
    size_t *marks; /* stack depths at each MARK */
    size_t mark_count, mark_capacity;
    bool stopped;
};

static int malformed(struct err *err, const char *what)
{
    err_set(err, STATUS_DATA, "the pickle is cut or malformed: %s", what);
    return -1;
}

/* Makes room for `index` in an array of pointers or sizes, with zeros. */
static int make_room(void *array, size_t *capacity, size_t index, struct err *err)
{
    void *items;
    memcpy(&items, array, sizeof items);
    if (index < *capacity)
        return 0;
    if (index >= MAX_VALUES)
        return err_set(err, STATUS_DATA, "the pickle is too big");
    size_t larger = 2 * index + 4;
    items = reallocarray(items, larger, sizeof(void *));
    if (!items)
        return err_memory(err, "a pickle");
    memset((char *)items + *capacity * sizeof(void *), 0, (larger - *capacity) * sizeof(void *));
    memcpy(array, &items, sizeof items);
    *capacity = larger;
    return 0;
}

static struct pickle_value *new_value(struct machine *m, enum pickle_kind kind, struct err *err)
{
    struct pickle_block *block = m->pickle->blocks;
    if (++m->pickle->value_count > MAX_VALUES) {
        err_set(err, STATUS_DATA, "the pickle is too big");
        return NULL;
    }
    if (!block || block->used == BLOCK_VALUES) {
        block = calloc(1, sizeof *block);
        if (!block) {
            err_memory(err, "a pickle");
            return NULL;
        }
        block->next = m->pickle->blocks;
        m->pickle->blocks = block;
    }
    struct pickle_value *value = &block->values[block->used++];
    value->kind = kind;
    return value;
}

static int push(struct machine *m, struct pickle_value *value, struct err *err)
{
    if (!value || make_room(&m->stack, &m->stack_capacity, m->depth, err))
        return -1;
    m->stack[m->depth++] = value;
    return 0;
}

/* Values below the last MARK are out of reach, as in Python. */
static struct pickle_value *pop(struct machine *m, struct err *err)
{
    size_t floor = m->mark_count ? m->marks[m->mark_count - 1] : 0;
    if (m->depth <= floor) {
        malformed(err, "the stack is empty");
        return NULL;
    }
    return m->stack[--m->depth];
}

static struct pickle_value *top(struct machine *m, struct err *err)
{
    struct pickle_value *value = pop(m, err);
    if (value)
        m->depth++;
    return value;
}

/* Where the values after the last MARK begin; -1 when there is none. */
static int pop_mark(struct machine *m, size_t *from, struct err *err)
{
    if (m->mark_count == 0)
        return malformed(err, "no mark");
    *from = m->marks[--m->mark_count];
    return 0;
}

static int take(struct machine *m, size_t size, const unsigned char **bytes, struct err *err)
{
    if (size > (size_t)(m->end - m->at))
        return malformed(err, "it ends too early");
    *bytes = m->at;
    m->at += size;
    return 0;
}

static int take_number(struct machine *m, int size, uint64_t *value, struct err *err)
{
    const unsigned char *bytes;
    if (take(m, (size_t)size, &bytes, err))
        return -1;
    *value = bytes_le(bytes, size);
    return 0;
}

/* ---- lists ---- */

static int list_append(struct pickle_value *list, struct pickle_value *item, struct err *err)
{
    if (make_room(&list->as.list.items, &list->as.list.capacity, list->as.list.count, err))
        return -1;
    list->as.list.items[list->as.list.count++] = item;
    return 0;
}

static int list_extend(struct machine *m, struct pickle_value *list, size_t from, struct err *err)
{
    for (size_t i = from; i < m->depth; i++)
        if (list_append(list, m->stack[i], err))
            return -1;
    m->depth = from;
    return 0;
}

static int push_list(struct machine *m, enum pickle_kind kind, size_t from, struct err *err)
{
    struct pickle_value *list = new_value(m, kind, err);
    if (kind == PICKLE_DICT && (m->depth - from) % 2)
        return malformed(err, "a key without a value");
    if (!list || list_extend(m, list, from, err))
        return -1;
    return push(m, list, err);
}

static int do_empty(struct machine *m, int kind, struct err *err)
{
    return push(m, new_value(m, (enum pickle_kind)kind, err), err);
}

static int do_from_mark(struct machine *m, int kind, struct err *err)
{
    size_t from;
    if (pop_mark(m, &from, err))
        return -1;
    return push_list(m, (enum pickle_kind)kind, from, err);
}

static int do_tuple(struct machine *m, int count, struct err *err)
{
    size_t floor = m->mark_count ? m->marks[m->mark_count - 1] : 0;
    if (m->depth - floor < (size_t)count)
        return malformed(err, "the stack is empty");
    return push_list(m, PICKLE_TUPLE, m->depth - (size_t)count, err);
}

static int extend_top(struct machine *m, enum pickle_kind kind, size_t from, struct err *err)
{
    size_t floor = m->mark_count ? m->marks[m->mark_count - 1] : 0;
    if (from <= floor)
        return malformed(err, "the stack is empty");
    struct pickle_value *list = m->stack[from - 1];
    if (list->kind == PICKLE_OBJECT)
        list->kind = kind; /* of a class of its own that is a list or a dictionary */
    if (list->kind != kind)
        return malformed(err, kind == PICKLE_DICT ? "an item set in what is no dictionary"
                                                  : "an item appended to what is no list");
    if (kind == PICKLE_DICT && (m->depth - from) % 2)
        return malformed(err, "a key without a value");
    return list_extend(m, list, from, err);
}

/* APPEND and SETITEM */
static int do_add_one(struct machine *m, int kind, struct err *err)
{
    size_t count = kind == PICKLE_DICT ? 2 : 1;
    if (m->depth < count)
        return malformed(err, "the stack is empty");
    return extend_top(m, (enum pickle_kind)kind, m->depth - count, err);
}

/* APPENDS, ADDITEMS and SETITEMS */
static int do_add_all(struct machine *m, int kind, struct err *err)
{
    size_t from;
    if (pop_mark(m, &from, err))
        return -1;
    return extend_top(m, (enum pickle_kind)kind, from, err);
}

/* ---- plain values ---- */

static int push_integer(struct machine *m, int64_t integer, struct err *err)
{
    struct pickle_value *value = new_value(m, PICKLE_INTEGER, err);
    if (value)
        value->as.integer = integer;
    return push(m, value, err);
}

static int push_text(struct machine *m, enum pickle_kind kind, uint64_t size, struct err *err)
{
    const unsigned char *bytes;
    if (size > SIZE_MAX / 2 || take(m, (size_t)size, &bytes, err))
        return malformed(err, "a text that ends too early");
    struct pickle_value *value = new_value(m, kind, err);
    if (value) {
        value->as.text.bytes = (const char *)bytes;
        value->as.text.length = (size_t)size;
    }
    return push(m, value, err);
}

static int do_bool(struct machine *m, int value, struct err *err)
{
    return push_integer(m, value, err);
}

static int do_unsigned(struct machine *m, int size, struct err *err)
{
    uint64_t value;
    return take_number(m, size, &value, err) ? -1 : push_integer(m, (int64_t)value, err);
}

static int do_signed(struct machine *m, int size, struct err *err)
{
    uint64_t value;
    if (take_number(m, size, &value, err))
        return -1;
    int unused = 64 - 8 * size;
    return push_integer(m, (int64_t)(value << unused) >> unused, err);
}

/* LONG1 and LONG4: the argument is how many bytes tell the length. */
static int do_long(struct machine *m, int size, struct err *err)
{
    uint64_t length;
    if (take_number(m, size, &length, err))
        return -1;
    if (length > 255)
        return malformed(err, "a number that is too long");
    if (length > 8)
        return push_text(m, PICKLE_LONG, length, err);
    return length ? do_signed(m, (int)length, err) : push_integer(m, 0, err);
}

static int do_float(struct machine *m, int size, struct err *err)
{
    const unsigned char *bytes;
    if (take(m, (size_t)size, &bytes, err))
        return -1;
    struct pickle_value *value = new_value(m, PICKLE_REAL, err);
    uint64_t bits = 0;
    for (int i = 0; i < size; i++)
        bits = bits << 8 | bytes[i];
    if (value)
        memcpy(&value->as.real, &bits, sizeof value->as.real);
    return push(m, value, err);
}

/* The argument is how many bytes tell the length. */
static int do_text(struct machine *m, int size, struct err *err)
{
    uint64_t length;
    return take_number(m, size, &length, err) ? -1 : push_text(m, PICKLE_TEXT, length, err);
}

/* ---- stack and memo ---- */

static int do_mark(struct machine *m, int unused, struct err *err)
{
    (void)unused;
    if (make_room(&m->marks, &m->mark_capacity, m->mark_count, err))
        return -1;
    m->marks[m->mark_count++] = m->depth;
    return 0;
}

static int do_pop(struct machine *m, int unused, struct err *err)
{
    (void)unused;
    return pop(m, err) ? 0 : -1;
}

static int do_pop_mark(struct machine *m, int unused, struct err *err)
{
    (void)unused;
    return pop_mark(m, &m->depth, err);
}

static int remember(struct machine *m, uint64_t index, struct err *err)
{
    struct pickle_value *value = top(m, err);
    if (!value || make_room(&m->memo, &m->memo_capacity, (size_t)index, err))
        return -1;
    m->memo_count += m->memo[index] == NULL;
    m->memo[index] = value;
    return 0;
}

static int do_put(struct machine *m, int size, struct err *err)
{
    uint64_t index;
    return take_number(m, size, &index, err) ? -1 : remember(m, index, err);
}

static int do_memoize(struct machine *m, int unused, struct err *err)
{
    (void)unused;
    return remember(m, m->memo_count, err);
}

static int do_get(struct machine *m, int size, struct err *err)
{
    uint64_t index;
    if (take_number(m, size, &index, err))
        return -1;
    if (index >= m->memo_capacity || !m->memo[index])
        return malformed(err, "a reference to nothing");
    return push(m, m->memo[index], err);
}

/* ---- globals and what they make ---- */

static int push_global(struct machine *m, const char *module, size_t module_length,
                       const char *name, size_t name_length, struct err *err)
{
    const struct pickle_global *global =
        pickle_global_find(module, module_length, name, name_length);
    if (global) {
        struct pickle_value *value = new_value(m, PICKLE_GLOBAL, err);
        if (value)
            value->as.global = global;
        return push(m, value, err);
    }
    return err_set(err, STATUS_DATA,
                   "it refers to '%.*s.%.*s', which is not allowed in a checkpoint "
                   "(save model.state_dict() instead)",
                   module_length < 100 ? (int)module_length : 100, module,
                   name_length < 100 ? (int)name_length : 100, name);
}

static int take_line(struct machine *m, const unsigned char **line, size_t *length, struct err *err)
{
    const unsigned char *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
    if (!end)
        return malformed(err, "it ends too early");
    *line = m->at;
    *length = (size_t)(end - m->at);
    m->at = end + 1;
    return 0;
}

static int do_global(struct machine *m, int unused, struct err *err)
{
    const unsigned char *module, *name;
    size_t module_length, name_length;
    (void)unused;
    if (take_line(m, &module, &module_length, err) || take_line(m, &name, &name_length, err))
        return -1;
    return push_global(m, (const char *)module, module_length, (const char *)name, name_length,
                       err);
}

static int do_stack_global(struct machine *m, int unused, struct err *err)
{
    (void)unused;
    struct pickle_value *name = pop(m, err), *module = name ? pop(m, err) : NULL;
    if (!module)
        return -1;
    if (module->kind != PICKLE_TEXT || name->kind != PICKLE_TEXT)
        return malformed(err, "a global without a name");
    return push_global(m, module->as.text.bytes, module->as.text.length, name->as.text.bytes,
                       name->as.text.length, err);
}

/* The i-th of the arguments when it is of that kind, else NULL. */
static struct pickle_value *argument(const struct pickle_value *arguments, size_t i,
                                     enum pickle_kind kind)
{
    if (i >= arguments->as.list.count || arguments->as.list.items[i]->kind != kind)
        return NULL;
    return arguments->as.list.items[i];
}

/* _rebuild_tensor_v2(storage, offset, size, stride, ...) */
static int make_tensor(struct machine *m, const struct pickle_value *arguments, struct err *err)
{
    struct pickle_value *tensor = new_value(m, PICKLE_TENSOR, err);
    if (!tensor)
        return -1;
    tensor->as.tensor.storage = argument(arguments, 0, PICKLE_STORAGE);
    tensor->as.tensor.offset = argument(arguments, 1, PICKLE_INTEGER);
    tensor->as.tensor.size = argument(arguments, 2, PICKLE_TUPLE);
    tensor->as.tensor.stride = argument(arguments, 3, PICKLE_TUPLE);
    if (!tensor->as.tensor.storage || !tensor->as.tensor.offset || !tensor->as.tensor.size ||
        !tensor->as.tensor.stride)
        return malformed(err, "a tensor without storage, offset, size and stride");
    return push(m, tensor, err);
}

/* _rebuild_parameter(tensor, requires_grad, hooks) */
static int make_parameter(struct machine *m, const struct pickle_value *arguments, struct err *err)
{
    struct pickle_value *tensor = argument(arguments, 0, PICKLE_TENSOR);
    return tensor ? push(m, tensor, err) : malformed(err, "a parameter without a tensor");
}

static int make_sequence(struct machine *m, const struct pickle_value *arguments, struct err *err)
{
    struct pickle_value *items = argument(arguments, 0, PICKLE_LIST);
    if (!items)
        items = argument(arguments, 0, PICKLE_TUPLE);
    return items ? push(m, items, err) : do_empty(m, PICKLE_TUPLE, err);
}

/* OrderedDict() or OrderedDict([(key, value), ...]); Python 2 wrote the latter. */
static int make_dict(struct machine *m, const struct pickle_value *arguments, struct err *err)
{
    struct pickle_value *dict = new_value(m, PICKLE_DICT, err);
    const struct pickle_value *pairs = argument(arguments, 0, PICKLE_LIST);
    for (size_t i = 0; dict && pairs && i < pairs->as.list.count; i++) {
        const struct pickle_value *pair = pairs->as.list.items[i];
        if ((pair->kind != PICKLE_LIST && pair->kind != PICKLE_TUPLE) || pair->as.list.count != 2)
            return malformed(err, "a dictionary of what are no pairs");
        if (list_append(dict, pair->as.list.items[0], err) ||
            list_append(dict, pair->as.list.items[1], err))
            return -1;
    }
    return push(m, dict, err);
}

/* encode(text, "latin1"): how Python 2's protocol writes bytes. */
static int make_bytes(struct machine *m, const struct pickle_value *arguments, struct err *err)
{
    const struct pickle_value *text = argument(arguments, 0, PICKLE_TEXT);
    struct pickle_value *value = new_value(m, text ? PICKLE_LATIN1 : PICKLE_OPAQUE, err);
    if (value && text)
        value->as.text = text->as.text;
    return push(m, value, err);
}

/* dtype(code, ...); the byte order comes with BUILD. */
static int make_dtype(struct machine *m, const struct pickle_value *arguments, struct err *err)
{
    const struct pickle_value *code = argument(arguments, 0, PICKLE_TEXT);
    struct pickle_value *value = new_value(m, code ? PICKLE_DTYPE : PICKLE_OPAQUE, err);
    if (value && code)
        value->as.dtype.code = code;
    return push(m, value, err);
}

/* scalar(dtype, bytes) */
static int make_scalar(struct machine *m, const struct pickle_value *arguments, struct err *err)
{
    const struct pickle_value *dtype = argument(arguments, 0, PICKLE_DTYPE);
    bool whole = dtype && arguments->as.list.count == 2;
    struct pickle_value *value = new_value(m, whole ? PICKLE_SCALAR : PICKLE_OPAQUE, err);
    if (value && whole) {
        value->as.array.dtype = dtype;
        value->as.array.data = arguments->as.list.items[1];
    }
    return push(m, value, err);
}

/* _rebuild_from_type_v2(function, type, arguments, state): a tensor with attributes */
static int make_subclass(struct machine *m, const struct pickle_value *arguments, struct err *err)
{
    const struct pickle_value *function = argument(arguments, 0, PICKLE_GLOBAL);
    const struct pickle_value *inner = argument(arguments, 2, PICKLE_TUPLE);
    if (!function || !inner)
        return malformed(err, "a tensor of a type without function and arguments");
    switch (function->as.global->role) {
    case MAKES_TENSOR:
        return make_tensor(m, inner, err);
    case MAKES_PARAMETER:
        return make_parameter(m, inner, err);
    default:
        return do_empty(m, PICKLE_OBJECT, err);
    }
}

static int apply(struct machine *m, enum role role, const struct pickle_value *arguments,
                 struct err *err)
{
    switch (role) {
    case MAKES_TENSOR:
        return make_tensor(m, arguments, err);
    case MAKES_PARAMETER:
        return make_parameter(m, arguments, err);
    case MAKES_SUBCLASS:
        return make_subclass(m, arguments, err);
    case MAKES_DICT:
        return make_dict(m, arguments, err);
    case MAKES_SEQUENCE:
        return make_sequence(m, arguments, err);
    case MAKES_OBJECT:
        return do_empty(m, PICKLE_OBJECT, err);
    case MAKES_BYTES:
        return make_bytes(m, arguments, err);
    case MAKES_DTYPE:
        return make_dtype(m, arguments, err);
    case MAKES_ARRAY: /* what it is comes with BUILD */
        return do_empty(m, PICKLE_ARRAY, err);
    case MAKES_SCALAR:
        return make_scalar(m, arguments, err);
    default:
        return malformed(err, "something is applied that is no function");
    }
}

/* REDUCE, NEWOBJ and NEWOBJ_EX.  The last two make an instance of a class: the first
 * of any class that may be mentioned, by a function only of those that are known. */
static int do_apply(struct machine *m, int code, struct err *err)
{
    if (code == NEWOBJ_EX && !pop(m, err)) /* arguments with names */
        return -1;
    struct pickle_value *arguments = pop(m, err), *function = arguments ? pop(m, err) : NULL;
    if (!function)
        return -1;
    if (function->kind != PICKLE_GLOBAL || arguments->kind != PICKLE_TUPLE)
        return malformed(err, "something is applied that is no function");
    enum role role = function->as.global->role;
    if (role == MAKES_INSTANCE && code != REDUCE)
        role = MAKES_OBJECT;
    return apply(m, role, arguments, err);
}

/* (version, shape, dtype, fortran, data) */
static int build_array(struct pickle_value *array, const struct pickle_value *state,
                       struct err *err)
{
    bool tuple = state->kind == PICKLE_TUPLE && state->as.list.count == 5;
    array->as.array.shape = tuple ? argument(state, 1, PICKLE_TUPLE) : NULL;
    array->as.array.dtype = tuple ? argument(state, 2, PICKLE_DTYPE) : NULL;
    array->as.array.fortran = tuple ? argument(state, 3, PICKLE_INTEGER) : NULL;
    array->as.array.data = tuple ? state->as.list.items[4] : NULL;
    if (!array->as.array.shape || !array->as.array.dtype || !array->as.array.fortran)
        return malformed(err, "an array without shape and element type");
    return 0;
}

static bool may_have_attributes(const struct pickle_value *value)
{
    return value->kind == PICKLE_OBJECT || value->kind == PICKLE_OPAQUE ||
           value->kind == PICKLE_DICT || value->kind == PICKLE_LIST || value->kind == PICKLE_TENSOR;
}

/* BUILD.  Attributes are left out. */
static int do_build(struct machine *m, int unused, struct err *err)
{
    (void)unused;
    struct pickle_value *state = pop(m, err), *object = state ? top(m, err) : NULL;
    if (!object)
        return -1;
    if (object->kind == PICKLE_ARRAY)
        return build_array(object, state, err);
    if (object->kind == PICKLE_DTYPE && state->kind == PICKLE_TUPLE)
        object->as.dtype.order = argument(state, 1, PICKLE_TEXT);
    else if (!may_have_attributes(object))
        return malformed(err, "attributes of something that has none");
    return 0;
}

/* A persistent identifier: ("storage", class, key, location, elements[, view]). */
static int do_persistent(struct machine *m, int unused, struct err *err)
{
    (void)unused;
    struct pickle_value *id = pop(m, err);
    if (!id)
        return -1;
    if (id->kind != PICKLE_TUPLE)
        return malformed(err, "a storage without a description");
    const struct pickle_value *word = argument(id, 0, PICKLE_TEXT);
    /* ("module", class, file, source): a network itself, in files before 1.6 */
    if (word && pickle_text_is(word->as.text.bytes, word->as.text.length, "module") &&
        id->as.list.count > 1)
        return push(m, id->as.list.items[1], err);
    const struct pickle_value *class = argument(id, 1, PICKLE_GLOBAL);
    const struct pickle_value *key = argument(id, 2, PICKLE_TEXT);
    const struct pickle_value *count = argument(id, 4, PICKLE_INTEGER);
    if (!word || !pickle_text_is(word->as.text.bytes, word->as.text.length, "storage") || !class ||
        class->as.global->role != MAKES_STORAGE || !key || !count || count->as.integer < 0)
        return malformed(err, "a storage without class, key and size");
    if (id->as.list.count > 5 && !argument(id, 5, PICKLE_OPAQUE))
        return err_set(err, STATUS_DATA, "a view of a storage is not supported");
    struct pickle_value *storage = new_value(m, PICKLE_STORAGE, err);
    if (storage) {
        storage->as.storage.dtype = class->as.global->dtype;
        storage->as.storage.key = key;
        storage->as.storage.count = (size_t)count->as.integer;
    }
    return push(m, storage, err);
}

static int do_protocol(struct machine *m, int unused, struct err *err)
{
    uint64_t version;
    (void)unused;
    if (take_number(m, 1, &version, err))
        return -1;
    if (version < 2 || version > 5)
        return err_set(err, STATUS_DATA, "pickle protocol %d is not supported", (int)version);
    return 0;
}

static int do_frame(struct machine *m, int unused, struct err *err)
{
    uint64_t size;
    (void)unused;
    if (take_number(m, 8, &size, err))
        return -1;
    return size > (size_t)(m->end - m->at) ? malformed(err, "a frame that ends too early") : 0;
}

static int do_stop(struct machine *m, int unused, struct err *err)
{
    (void)unused;
    m->pickle->root = pop(m, err);
    m->stopped = true;
    if (m->pickle->root && (m->depth || m->mark_count))
        return malformed(err, "values are left over");
    return m->pickle->root ? 0 : -1;
}

static const struct {
    int (*run)(struct machine *m, int argument, struct err *err);
    int argument;
} operations[256] = {
    [0x80] = {do_protocol, 0},
    [0x95] = {do_frame, 0},
    ['.'] = {do_stop, 0},
    ['('] = {do_mark, 0},
    ['0'] = {do_pop, 0},
    ['1'] = {do_pop_mark, 0},
    ['N'] = {do_empty, PICKLE_OPAQUE},
    [0x88] = {do_bool, 1},
    [0x89] = {do_bool, 0},
    ['J'] = {do_signed, 4},
    ['K'] = {do_unsigned, 1},
    ['M'] = {do_unsigned, 2},
    [0x8a] = {do_long, 1},
    [0x8b] = {do_long, 4},
    ['G'] = {do_float, 8},
    ['X'] = {do_text, 4},
    [0x8c] = {do_text, 1},
    [0x8d] = {do_text, 8},
    ['T'] = {do_text, 4},
    ['U'] = {do_text, 1},
    ['B'] = {do_text, 4},
    ['C'] = {do_text, 1},
    [0x8e] = {do_text, 8},
    [']'] = {do_empty, PICKLE_LIST},
    [')'] = {do_empty, PICKLE_TUPLE},
    ['}'] = {do_empty, PICKLE_DICT},
    [0x8f] = {do_empty, PICKLE_LIST},
    ['l'] = {do_from_mark, PICKLE_LIST},
    ['t'] = {do_from_mark, PICKLE_TUPLE},
    ['d'] = {do_from_mark, PICKLE_DICT},
    [0x91] = {do_from_mark, PICKLE_TUPLE},
    [0x85] = {do_tuple, 1},
    [0x86] = {do_tuple, 2},
    [0x87] = {do_tuple, 3},
    ['a'] = {do_add_one, PICKLE_LIST},
    ['s'] = {do_add_one, PICKLE_DICT},
    ['e'] = {do_add_all, PICKLE_LIST},
    [0x90] = {do_add_all, PICKLE_LIST},
    ['u'] = {do_add_all, PICKLE_DICT},
    ['q'] = {do_put, 1},
    ['r'] = {do_put, 4},
    [0x94] = {do_memoize, 0},
    ['h'] = {do_get, 1},
    ['j'] = {do_get, 4},
    ['c'] = {do_global, 0},
    [0x93] = {do_stack_global, 0},
    [REDUCE] = {do_apply, REDUCE},
    [NEWOBJ] = {do_apply, NEWOBJ},
    [NEWOBJ_EX] = {do_apply, NEWOBJ_EX},
    ['b'] = {do_build, 0},
    ['Q'] = {do_persistent, 0},
};

static int run(struct machine *m, struct err *err)
{
    while (!m->stopped) {
        const unsigned char *code;
        if (take(m, 1, &code, err))
            return -1;
        if (!operations[*code].run)
            return err_set(err, STATUS_DATA, "pickle opcode 0x%02x is not supported", *code);
        if (operations[*code].run(m, operations[*code].argument, err))
            return -1;
    }
    return 0;
}

int pickle_read(struct pickle *pickle, const unsigned char *bytes, size_t size, struct err *err)
{
    *pickle = (struct pickle){0};
    struct machine m = {.pickle = pickle, .at = bytes, .end = bytes + size};
    int result = run(&m, err);
    pickle->size = (size_t)(m.at - bytes);
    free(m.stack);
    free(m.memo);
    free(m.marks);
    if (result)
        pickle_free(pickle);
    return result;
}

static void free_lists(struct pickle_block *block)
{
    for (size_t i = 0; i < block->used; i++) {
        struct pickle_value *value = &block->values[i];
        if (value->kind == PICKLE_TUPLE || value->kind == PICKLE_LIST || value->kind == PICKLE_DICT)
            free(value->as.list.items);
    }
}

void pickle_free(struct pickle *pickle)
{
    while (pickle->blocks) {
        struct pickle_block *block = pickle->blocks;
        pickle->blocks = block->next;
        free_lists(block);
        free(block);
    }
    *pickle = (struct pickle){0};
}

struct pickle_walk pickle_walk(const struct pickle *pickle)
{
    return (struct pickle_walk){.block = pickle->blocks};
}

const struct pickle_value *pickle_next(struct pickle_walk *walk)
{
    while (walk->block && walk->next == walk->block->used)
        *walk = (struct pickle_walk){.block = walk->block->next};
    return walk->block ? &walk->block->values[walk->next++] : NULL;
}

int pickle_sizes(const struct pickle_value *list, size_t sizes[ARRAY_MAX_DIMS],
                 const char *otherwise, struct err *err)
{
    size_t count = list->as.list.count;
    if (count > ARRAY_MAX_DIMS)
        return err_set(err, STATUS_DATA, "%zu dimensions, at most %d are supported", count,
                       ARRAY_MAX_DIMS);
    for (size_t i = 0; i < count; i++) {
        const struct pickle_value *item = list->as.list.items[i];
        if (item->kind != PICKLE_INTEGER || item->as.integer < 0)
            return err_set(err, STATUS_DATA, "%s", otherwise);
        sizes[i] = (size_t)item->as.integer;
    }
    return (int)count;
}
