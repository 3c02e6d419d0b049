/* The table of a program's options: what each is called, what it takes, and where that
 * goes.  cli_start reads the command line by it; options may stand before, between and
 * after operands, and "--" ends them.
 *
 *     static const struct cli_option options[] = {
 *         {'r', "resize", "SIZE", "resize tiles", CLI_INT(settings.side, 1, 65535)},
 *         {0, "edge", "shift|pad|fit", "windows at the border", CLI_CHOICE(settings.edge)},
 *         {0, "gray", NULL, "one channel", CLI_SET(settings.channels, CHANNELS_GRAY)},
 *         {'s', "size", "N[,N...]", "sides of tiles", CLI_INT(settings.sizes[0], 1, 65535),
 *          CLI_LIST(settings.size_count, MAX_SIZES)},
 *         {'i', "inset", "X,Y", "a place, up to six times", CLI_INT(settings.places[0][0], 0, 99),
 *          CLI_PAIR(','), CLI_TIMES(settings.place_count, 6)},
 *         {0},
 *     };
 *
 * Targets are variables of static storage: int, unsigned, int64_t, uint64_t, float, double,
 * bool, an enum, or const char *; arrays of them for lists, named by their first element.
 * What an option needs beyond that (two that exclude each other, a default that follows from
 * another) is the program's, after cli_start. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

enum cli_kind {
    CLI_KIND_SET,  /* no argument: the target gets `set` */
    CLI_KIND_TEXT, /* the argument as it is, borrowed */
    CLI_KIND_INT,
    CLI_KIND_REAL,
    CLI_KIND_CHOICE, /* one of "a|b|c": its place among them, or what `values` has there */
    CLI_KIND_CALL,   /* a function of the program's reads it */
};

enum cli_type {
    CLI_TYPE_INT,
    CLI_TYPE_UNSIGNED,
    CLI_TYPE_INT64,
    CLI_TYPE_UINT64,
    CLI_TYPE_FLOAT,
    CLI_TYPE_DOUBLE,
    CLI_TYPE_BOOL,
    CLI_TYPE_TEXT,
};

struct cli_option {
    int letter;           /* 0: none */
    const char *name;     /* long name; after "|" others that mean the same and are not shown */
    const char *argument; /* what follows it, NULL when nothing does */
    const char *help;     /* one line, without a final stop; NULL: not shown */
    enum cli_kind kind;
    enum cli_type type; /* of the target */
    void *to;
    int64_t set, min, max;
    double real_min, real_max, divisor;
    const char *words; /* of a choice, NULL: `argument`; of a number: what stands for 0 */
    const int *values;
    int (*call)(const char *text, struct err *err);
    bool *given;        /* true once the option was seen, or NULL */
    bool excludes;      /* an error beside another option of that target with another value */
    char separator;     /* not 0: parts */
    bool repeat_last;   /* parts that are left out are as the last */
    int least, most;    /* parts */
    int *count, *times; /* how many parts, how often the option was seen; NULL */
    int times_most;
};

/* clang-format off */
#define CLI_TARGET(t) .to = &(t), .type = _Generic((t), int: CLI_TYPE_INT,                      \
    unsigned: CLI_TYPE_UNSIGNED, int64_t: CLI_TYPE_INT64, uint64_t: CLI_TYPE_UINT64,            \
    float: CLI_TYPE_FLOAT, double: CLI_TYPE_DOUBLE, bool: CLI_TYPE_BOOL, const char *: CLI_TYPE_TEXT)
/* What an option does: one of these a row. */
#define CLI_FLAG(t)           .kind = CLI_KIND_SET, CLI_TARGET(t), .set = 1
#define CLI_SET(t, v)         .kind = CLI_KIND_SET, CLI_TARGET(t), .set = (v)
#define CLI_ONE_OF(t, v)      CLI_SET(t, v), .excludes = true
#define CLI_TEXT(t)           .kind = CLI_KIND_TEXT, CLI_TARGET(t)
#define CLI_INT(t, low, high) .kind = CLI_KIND_INT, CLI_TARGET(t), .min = (low), .max = (high)
#define CLI_REAL(t, low, high)                                                                     \
    .kind = CLI_KIND_REAL, CLI_TARGET(t), .real_min = (low), .real_max = (high), .divisor = 1
#define CLI_PERCENT(t, low, high)                                                                  \
    .kind = CLI_KIND_REAL, CLI_TARGET(t), .real_min = (low), .real_max = (high), .divisor = 100
#define CLI_CHOICE(t) .kind = CLI_KIND_CHOICE, CLI_TARGET(t) /* words: the row's argument */
#define CLI_CHOICE_OF(t, text) CLI_CHOICE(t), .words = (text)
#define CLI_CHOICE_FOR(t, ...) CLI_CHOICE(t), .values = (const int[]){__VA_ARGS__}
#define CLI_CALL(function) .kind = CLI_KIND_CALL, .call = (function)

/* clang-format on */

/* A pixel's HEIGHT[,WIDTH] in micrometers, to an array of two doubles. */
#define CLI_PIXEL_SIZE(t) CLI_REAL(t[0], 1e-9, 1e9), CLI_ONE_OR_TWO(',')

/* And, besides. */
#define CLI_LIST(counter, room)                                                                    \
    .separator = ',', .least = 1, .most = (room), .count = &(counter) /* of 1 to room parts */
#define CLI_PARTS(n, mark)      .separator = (mark), .least = (n), .most = (n)
#define CLI_ONE_OR_TWO(mark)    .separator = (mark), .least = 1, .most = 2, .repeat_last = true
#define CLI_TIMES(counter, n)   .times = &(counter), .times_most = (n) /* up to n times */
#define CLI_GIVEN(flag)         .given = &(flag)
#define CLI_WORD_FOR_ZERO(text) .words = (text)

#endif
