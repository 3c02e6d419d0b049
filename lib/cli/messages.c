#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/internal.h"
#include "core/outfile.h"
#include "core/text.h"

#define MAX_MESSAGE 16384

static bool progress_shown;

void cli_end_progress(void)
{
    if (progress_shown)
        fputs("\r\033[K", stderr);
    progress_shown = false;
}

/* The one place where text reaches the terminal: names in it come from files. */
static void print_message(const char *format, va_list args)
{
    char raw[MAX_MESSAGE], shown[MAX_MESSAGE];
    vsnprintf(raw, sizeof raw, format, args);
    text_harmless(shown, sizeof shown, raw);
    cli_end_progress();
    fprintf(stderr, "%s: ", cli_state.name);
    cli_put_prefixed(stderr, shown);
    putc('\n', stderr);
}

void cli_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message(format, args);
    va_end(args);
}

void cli_warn_err(const struct err *err)
{
    cli_warn("%s", err->message);
}

void cli_print_notice(const char *text)
{
    cli_warn("%s", text);
}

static noreturn void leave(enum status status)
{
    outfile_remove_all();
    cli_state.ends = true;
    exit(status);
}

void cli_die(enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message(format, args);
    va_end(args);
    leave(status);
}

void cli_die_err(const struct err *err)
{
    cli_warn_err(err);
    leave(err->status);
}

void cli_die_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char message[MAX_MESSAGE];
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    cli_warn("%s (see '%s --help')", message, cli_state.name);
    leave(STATUS_USAGE);
}

/* ---- progress ---- */

static bool progress_is_due(void)
{
    static struct timespec last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double elapsed =
        (double)(now.tv_sec - last.tv_sec) + 1e-9 * (double)(now.tv_nsec - last.tv_nsec);
    if (last.tv_sec && elapsed < 0.1)
        return false;
    last = now;
    return true;
}

void cli_say(const char *text)
{
    if (!cli_state.quiet)
        cli_warn("%s", text);
}

void cli_status(const char *text)
{
    if (cli_state.quiet || !isatty(STDERR_FILENO) || !progress_is_due())
        return;
    fprintf(stderr, "\r\033[K%s: %s", cli_state.name, text);
    fflush(stderr);
    progress_shown = true;
}

/* What is left of `total`, judged by what was done since the first call; 0 when that is too
 * early to say. */
static double seconds_left(uint64_t done, uint64_t total)
{
    static struct timespec begun;
    static uint64_t first, all;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (all != total || done < first) {
        begun = now;
        first = done;
        all = total;
    }
    double elapsed =
        (double)(now.tv_sec - begun.tv_sec) + 1e-9 * (double)(now.tv_nsec - begun.tv_nsec);
    return elapsed < 2 || done <= first ? 0
                                        : elapsed * (double)(total - done) / (double)(done - first);
}

void cli_progress(const char *unit, uint64_t done, uint64_t total)
{
    if (cli_state.quiet || !isatty(STDERR_FILENO) || !(progress_is_due() || done == total))
        return;
    fprintf(stderr, "\r\033[K%s: %llu", cli_state.name, (unsigned long long)done);
    if (total)
        fprintf(stderr, " of %llu", (unsigned long long)total);
    fprintf(stderr, " %s", unit);
    double left = total >= done && total ? seconds_left(done, total) : 0;
    char text[32];
    if (left >= 5)
        fprintf(stderr, ", %s left", text_duration(text, sizeof text, left));
    fflush(stderr);
    progress_shown = true;
}
