/* Test Anything Protocol for the C tests: each check prints a line, main ends
 * with `return tap_done();`. */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3), unused)) static bool ok(bool pass, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    printf("%sok %d - ", pass ? "" : "not ", ++tap_count);
    vprintf(name, args);
    putchar('\n');
    va_end(args);
    tap_failed += !pass;
    return pass;
}

__attribute__((unused)) static bool is_int(long long got, long long expected, const char *name)
{
    bool pass = ok(got == expected, "%s", name);
    if (!pass)
        printf("# got %lld, expected %lld\n", got, expected);
    return pass;
}

__attribute__((unused)) static bool is_near(double got, double expected, double tolerance,
                                            const char *name)
{
    bool pass = ok(fabs(got - expected) <= tolerance, "%s", name);
    if (!pass)
        printf("# got %.17g, expected %.17g within %g\n", got, expected, tolerance);
    return pass;
}

__attribute__((unused)) static bool is_str(const char *got, const char *expected, const char *name)
{
    bool pass = ok(strcmp(got, expected) == 0, "%s", name);
    if (!pass)
        printf("# got '%s', expected '%s'\n", got, expected);
    return pass;
}

/* One check that was not made. */
__attribute__((unused)) static void tap_skip(const char *reason)
{
    printf("ok %d # SKIP %s\n", ++tap_count, reason);
}

__attribute__((unused)) static int tap_skip_all(const char *reason)
{
    printf("1..0 # SKIP %s\n", reason);
    return 0;
}

__attribute__((unused)) static int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}

#endif
