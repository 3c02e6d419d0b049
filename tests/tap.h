/* Test Anything Protocol for the C tests.  main begins with `tap_plan(N);`, each check prints
 * a line, and main ends with `return tap_done();`.  A test that returns early from anywhere
 * has fewer checks than it planned, and fails. */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed, tap_planned;

__attribute__((unused)) static void tap_plan(int checks)
{
    /* A line at a time, so that a test that is killed has told what it saw. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    tap_planned = checks;
    printf("1..%d\n", checks);
}

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

__attribute__((unused)) static int tap_done(void)
{
    if (tap_planned <= 0)
        printf("not ok %d - a plan of something to check\n", ++tap_count);
    else if (tap_count != tap_planned)
        printf("# planned %d checks, made %d\n", tap_planned, tap_count);
    return tap_failed != 0 || tap_count != tap_planned;
}

#endif
