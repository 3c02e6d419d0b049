/* Command lines, words between newlines, by a table that has a row of each kind.  The parser
 * itself is compiled in, since it ends a program instead of returning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdnoreturn.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* Texts that options keep until a program ends. */
static char kept[8 * FUZZ_MAX_SIZE], *kept_end;

static char *keep(const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > (size_t)(kept + sizeof kept - kept_end))
        return NULL;
    char *copy = memcpy(kept_end, text, size);
    kept_end += size;
    return copy;
}

#undef strdup
#define strdup(text) keep(text)
#define free(text)   ((void)(text))
#include "lib/cli/options.c" /* NOLINT */
#undef strdup
#undef free

#define MAX_WORDS 200

static jmp_buf ended;
struct cli_state cli_state;

static int ints[8], count, times, word;
static unsigned natural;
static int64_t long_int, places[6][2];
static uint64_t seed;
static float single;
static double reals[8], pixel[2], percent;
static bool flag, seen;
static const char *texts[4];
static enum { RED, GREEN } color;
static int mode;

static int read_call(const char *text, struct err *err)
{
    return strlen(text) > 3 ? err_set(err, STATUS_USAGE, "'%s' is too long", text) : 0;
}

/* clang-format off */
static const struct cli_option rows[] = {
    {'a', "all", NULL, "a flag", CLI_FLAG(flag), CLI_GIVEN(seen)},
    {'c', "color|colour", "red|green", "a choice", CLI_CHOICE(color)},
    {0, "level", "low|high", "values", CLI_CHOICE_FOR(word, 10, 20)},
    {0, "gray", NULL, "one of two", CLI_ONE_OF(mode, 1)},
    {0, "rgb", NULL, "the other", CLI_ONE_OF(mode, 2)},
    {'i', "int", "N", "a number", CLI_INT(ints[0], -5, 500), CLI_WORD_FOR_ZERO("none")},
    {0, "natural", "N", "a number", CLI_INT(natural, 0, 500)},
    {'l', "long", "N", "a large one", CLI_INT(long_int, INT64_MIN, INT64_MAX)},
    {0, "seed", "N", "a seed", CLI_INT(seed, 0, INT64_MAX)},
    {'r', "real", "X", "a real", CLI_REAL(single, -1, 1e9)},
    {'p', "percent", "X", "a share", CLI_PERCENT(percent, 0, 100)},
    {0, "pixel", "H[,W]", "a size", CLI_PIXEL_SIZE(pixel)},
    {'s', "sizes", "N[,N...]", "a list", CLI_INT(ints[1], 0, 99), CLI_LIST(count, 4)},
    {0, "inset", "X,Y", "places", CLI_INT(places[0][0], 0, 99), CLI_PARTS(2, ','),
     CLI_TIMES(times, 6)},
    {'t', "text", "TEXT", "texts", CLI_TEXT(texts[0]), CLI_LIST(count, 4)},
    {'d', "doubles", "X:X:X", "three", CLI_REAL(reals[0], 0, 1), CLI_PARTS(3, ':')},
    {'f', "call", "TEXT", "what a function reads", CLI_CALL(read_call)},
    {0},
};
/* clang-format on */
static const struct cli_program program = {.name = "fuzz", .options = rows};
const struct cli_option cli_common_options[] = {{0}};

static noreturn void end(const char *format, va_list args)
{
    char message[500];
    vsnprintf(message, sizeof message, format, args);
    longjmp(ended, 1);
}

noreturn void cli_die(enum status status, const char *format, ...)
{
    va_list args;
    (void)status;
    va_start(args, format);
    end(format, args);
}

noreturn void cli_die_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    end(format, args);
}

static int split(char *text, char **words)
{
    static char name[] = "fuzz";
    int n = 1;
    words[0] = name;
    for (char *next; text && n < MAX_WORDS; text = next) {
        next = strchr(text, '\n');
        if (next)
            *next++ = 0;
        words[n++] = text;
    }
    words[n] = NULL;
    return n;
}

static void read_words(int n, char **words)
{
    if (setjmp(ended) == 0)
        cli_read_options(n, words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[4096];
    static char *words[MAX_WORDS + 1];
    if (size >= sizeof text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    memset(&parser, 0, sizeof parser);
    cli_state.program = &program;
    kept_end = kept;
    count = times = 0;
    optind = 0; /* GNU's: from the start */
    read_words(split(text, words), words);
    if (ints[0] < -5 || ints[0] > 500 || natural > 500 || percent < 0 || percent > 1)
        abort();
    return 0;
}
