#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "core/json.h"
#include "core/text.h"
#include "weights/values.h"
#include "weights/weights.h"

#define MAX_SETTINGS 64
#define MAX_AVERAGED 16

static struct {
    bool json;
    int dtype; /* enum dtype, or -1 to keep each tensor's */
    const char *settings[MAX_SETTINGS];
    int setting_count;
    const char *added; /* PREFIX=FILE, or NULL */
    const char *averaged[MAX_AVERAGED];
    int averaged_count;
    const char *sha256; /* NULL when there is nothing to compare with */
} settings = {.dtype = -1};

static const struct cli_option options[] = {
    {0, "json", NULL, "info: print JSON", CLI_FLAG(settings.json)},
    {0, "dtype", "f32|f16|bf16", "convert: cast floating-point tensors to that type",
     CLI_CHOICE_FOR(settings.dtype, DTYPE_F32, DTYPE_F16, DTYPE_BF16)},
    {0, "set", "KEY=VALUE", "convert: set a line of metadata; may be repeated",
     CLI_TEXT(settings.settings[0]), CLI_TIMES(settings.setting_count, MAX_SETTINGS)},
    {0, "add", "PREFIX=FILE", "convert: add FILE's tensors, PREFIX before their names",
     CLI_TEXT(settings.added)},
    {0, "mean", "FILE", "convert: the mean of IN's tensors and FILE's; may be repeated",
     CLI_TEXT(settings.averaged[0]), CLI_TIMES(settings.averaged_count, MAX_AVERAGED)},
    {0, "sha256", "HEX", "verify: the file must have that SHA-256", CLI_TEXT(settings.sha256)},
    {0},
};

static const struct cli_program program = {
    .name = "weights",
    .purpose = "look at, convert, compare and verify files of weights",
    .synopsis = "[options] info FILE | convert IN OUT | diff A B | verify FILE",
    .options = options,
    .commands = "info|convert|diff|verify",
    .notes = "Reads safetensors, PyTorch checkpoints (.pth, .pt), NumPy archives (.npz) and\n"
             "dictionaries (.npy); writes safetensors.  Nothing in a checkpoint is executed.\n",
};

static void read_or_die(struct weights *weights, const char *path)
{
    struct err err;
    if (weights_read(weights, path, &err))
        cli_die_err(&err);
}

static void hash_or_die(struct weights *weights, const char *path)
{
    struct err err;
    if (weights_hash(weights, path, &err))
        cli_die_err(&err);
}

static void print_type(const struct array *array)
{
    printf("%s\t(", dtype_name(array->dtype));
    for (int i = 0; i < array->ndim; i++)
        printf("%s%zu", i ? ", " : "", array->shape[i]);
    printf(array->ndim == 1 ? ",)" : ")");
}

static void print_info(const struct weights *weights)
{
    printf("format\t%s\nsha256\t%s\ntensors\t%zu\nparameters\t%zu\n", weights->format,
           weights->sha256, weights->count, weights_parameters(weights));
    for (size_t i = 0; i < weights->metadata_count; i++) {
        text_put(stdout, weights->metadata[i].key);
        putchar('\t');
        text_put(stdout, weights->metadata[i].value);
        putchar('\n');
    }
    putchar('\n');
    for (size_t i = 0; i < weights->count; i++) {
        text_put(stdout, weights->items[i].name);
        putchar('\t');
        print_type(&weights->items[i].array);
        putchar('\n');
    }
}

static json_t *tensor_json(const struct weight *weight)
{
    json_t *shape = json_from_shape(weight->array.shape, weight->array.ndim);
    return json_pack("{s:s%, s:s, s:o}", "name", weight->name, strlen(weight->name), "dtype",
                     dtype_name(weight->array.dtype), "shape", shape);
}

static void print_json(const struct weights *weights)
{
    json_t *metadata = json_object(), *tensors = json_array();
    for (size_t i = 0; i < weights->metadata_count; i++)
        if (json_object_set_new(metadata, weights->metadata[i].key,
                                json_string(weights->metadata[i].value)))
            cli_die(STATUS_DATA, "line %zu of the metadata is not UTF-8", i + 1);
    for (size_t i = 0; i < weights->count; i++)
        if (json_array_append_new(tensors, tensor_json(&weights->items[i])))
            cli_die(STATUS_DATA, "the name of tensor %zu is not UTF-8", i + 1);
    json_t *info = json_pack("{s:s, s:s, s:I, s:o, s:o}", "format", weights->format, "sha256",
                             weights->sha256, "parameters", (json_int_t)weights_parameters(weights),
                             "metadata", metadata, "tensors", tensors);
    char *text = info ? json_dump_whole(info, JSON_INDENT(1)) : NULL;
    if (!text)
        cli_die(STATUS_MEMORY, "out of memory for JSON");
    text_put_json(stdout, text);
    putchar('\n');
    free(text);
    json_decref(info);
}

static enum status info(char **operands)
{
    struct weights weights;
    read_or_die(&weights, operands[0]);
    hash_or_die(&weights, operands[0]);
    if (settings.json)
        print_json(&weights);
    else
        print_info(&weights);
    weights_free(&weights);
    return STATUS_OK;
}

/* KEY=VALUE */
static void apply_setting(struct weights *weights, const char *setting)
{
    struct err err;
    size_t length = strcspn(setting, "=");
    if (length == 0 || setting[length] != '=')
        cli_die_usage("--set '%s': not KEY=VALUE", setting);
    char *key = strndup(setting, length);
    if (!key)
        cli_die(STATUS_MEMORY, "out of memory for metadata");
    if (weights_set_metadata(weights, key, setting + length + 1, &err))
        cli_die_err(&err);
    free(key);
}

/* PREFIX=FILE: the file's tensors */
static void add_tensors(struct weights *weights, const char *text)
{
    struct weights other;
    struct err err;
    char name[1200];
    int prefix = (int)strcspn(text, "=");
    if (text[prefix] != '=' || prefix > 100)
        cli_die_usage("--add '%s': not PREFIX=FILE", text);
    read_or_die(&other, text + prefix + 1);
    for (size_t i = 0; i < other.count; i++) {
        int length = snprintf(name, sizeof name, "%.*s%s", prefix, text, other.items[i].name);
        if (length >= (int)sizeof name)
            cli_die(STATUS_DATA, "add '%s': a name is too long", text);
        if (weights_add(weights, name, &other.items[i].array, &err))
            cli_die_err(&err);
    }
    weights_free(&other);
}

static void average(struct weights *weights, const char *path)
{
    struct weights others[MAX_AVERAGED];
    struct err err;
    size_t count = (size_t)settings.averaged_count;
    for (size_t i = 0; i < count; i++)
        read_or_die(&others[i], settings.averaged[i]);
    if (weights_mean(weights, others, count, &err)) {
        err_prefix(&err, "convert '%s'", path);
        cli_die_err(&err);
    }
    for (size_t i = 0; i < count; i++)
        weights_free(&others[i]);
}

static enum status convert(char **operands)
{
    struct weights weights;
    struct err err;
    if (strcmp(operands[1], "-") == 0)
        cli_refuse_terminal("weights");
    read_or_die(&weights, operands[0]);
    for (int i = 0; i < settings.setting_count; i++)
        apply_setting(&weights, settings.settings[i]);
    if (settings.averaged_count)
        average(&weights, operands[0]);
    if (settings.added)
        add_tensors(&weights, settings.added);
    if (settings.dtype >= 0 && weights_cast(&weights, (enum dtype)settings.dtype, &err)) {
        err_prefix(&err, "convert '%s'", operands[0]);
        cli_die_err(&err);
    }
    if (weights_write(&weights, operands[1], &err))
        cli_die_err(&err);
    weights_free(&weights);
    return STATUS_OK;
}

static void print_side(const struct array *array)
{
    putchar('\t');
    if (array)
        print_type(array);
    else
        printf("-\t-");
}

/* One line for a tensor that differs; true when it does. */
static bool compare(const char *name, const struct array *a, const struct array *b)
{
    bool comparable = a && b && array_same_shape(a, b);
    double difference = comparable ? weights_max_difference(a, b) : 0;
    if (comparable && a->dtype == b->dtype && difference == 0)
        return false;
    text_put(stdout, name);
    print_side(a);
    print_side(b);
    if (comparable)
        printf("\t%.9g\n", difference);
    else
        printf("\t-\n");
    return true;
}

static enum status diff(char **operands)
{
    struct weights a, b;
    bool differ = false;
    read_or_die(&a, operands[0]);
    read_or_die(&b, operands[1]);
    for (size_t i = 0; i < a.count; i++)
        differ |= compare(a.items[i].name, &a.items[i].array, weights_find(&b, a.items[i].name));
    for (size_t i = 0; i < b.count; i++)
        if (!weights_find(&a, b.items[i].name))
            differ |= compare(b.items[i].name, NULL, &b.items[i].array);
    weights_free(&a);
    weights_free(&b);
    return differ ? STATUS_SOME_FAILED : STATUS_OK;
}

static enum status verify(char **operands)
{
    struct weights weights;
    read_or_die(&weights, operands[0]);
    hash_or_die(&weights, operands[0]);
    if (settings.sha256 && strcmp(settings.sha256, weights.sha256) != 0)
        cli_die(STATUS_DATA, "verify '%s': its SHA-256 is %s", operands[0], weights.sha256);
    for (size_t i = 0; i < weights.count; i++) {
        size_t bad = weights_count_not_finite(&weights.items[i].array);
        if (bad)
            cli_die(STATUS_DATA, "verify '%s': tensor '%s' has %zu values that are not finite",
                    operands[0], weights.items[i].name, bad);
    }
    weights_free(&weights);
    return STATUS_OK;
}

static const struct command {
    const char *name;
    int operands;
    enum status (*run)(char **operands);
} commands[] = {
    {"info", 1, info}, {"convert", 2, convert}, {"diff", 2, diff}, {"verify", 1, verify}};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    cli_die_usage("no command '%s'", name);
}

int main(int argc, char **argv)
{
    cli_start(&program, argc, argv);
    char **operands = cli_operands();
    if (!*operands)
        cli_die_usage("no command");
    const struct command *command = find_command(operands[0]);
    if (cli_operand_count() - 1 != command->operands)
        cli_die_usage("%s takes %d file%s", command->name, command->operands,
                      command->operands == 1 ? "" : "s");
    return cli_finish(command->run(operands + 1));
}
