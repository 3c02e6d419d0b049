/* What people are told of a run while they wait. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "core/text.h"
#include "train/internal.h"

#define LONG_RUN   3600.0 /* seconds of a run that is announced */
#define LOOK       10.0   /* seconds of steps, at least, by which it is judged */
#define LOOK_STEPS 2
#define LINES      60.0 /* seconds between two lines */

static double steps_here(const struct session *s)
{
    return (double)trainer_steps(s->trainer) - s->steps_before;
}

/* Seconds to the end, by the steps and validations so far; NaN when it is too early to say. */
static double seconds_left(const struct session *s)
{
    if (s->options.minutes > 0)
        return fmax(s->options.minutes * 60 - s->clock, 0);
    double steps = steps_here(s), left = (double)s->total_steps - (double)trainer_steps(s->trainer);
    return steps > 0 ? left * (session_seconds() - s->first_step) / steps : NAN;
}

/* Counted from the end of the first step, which is slower: kernels are chosen in it. */
static void note_first_step(struct session *s)
{
    if (s->first_step > 0)
        return;
    s->first_step = session_seconds();
    s->steps_before = (double)trainer_steps(s->trainer);
}

static void announce(struct session *s)
{
    double left = seconds_left(s);
    if (s->announced || steps_here(s) < LOOK_STEPS || session_seconds() - s->first_step < LOOK)
        return;
    s->announced = true;
    if (s->options.minutes > 0 || !(left > LONG_RUN))
        return;
    char line[300], time[32];
    snprintf(line, sizeof line,
             "this will take about %s (%.1f s a step, %" PRIu64 " steps); "
             "--minutes or --steps makes it shorter, --init starts from weights that know much",
             text_duration(time, sizeof time, left),
             (session_seconds() - s->first_step) / steps_here(s), s->total_steps);
    s->options.say(line);
}

/* "12 of 300 steps, loss 0.412, DSC 0.871, AP50 0.540, 3 min left" */
static void describe(const struct session *s, char *to, size_t size)
{
    char time[32];
    double left = seconds_left(s), loss = s->loss;
    int n = snprintf(to, size, "%" PRId64, trainer_steps(s->trainer));
    if (s->options.minutes <= 0)
        n += snprintf(to + n, size - (size_t)n, " of %" PRIu64, s->total_steps);
    if (s->sums.batches > 0)
        loss = s->sums.loss / s->sums.batches;
    n += snprintf(to + n, size - (size_t)n, " steps, loss %.3f", loss);
    if (s->best >= 0)
        n += snprintf(to + n, size - (size_t)n, ", DSC %.3f", s->now.dsc);
    if (s->best >= 0 && !isnan(s->now.ap50))
        n += snprintf(to + n, size - (size_t)n, ", AP50 %.3f", s->now.ap50);
    if (!isnan(left))
        snprintf(to + n, size - (size_t)n, ", %s left", text_duration(time, sizeof time, left));
}

void session_tell_step(struct session *s)
{
    char line[300];
    if (!session_is_first(s))
        return;
    note_first_step(s);
    announce(s);
    describe(s, line, sizeof line);
    s->options.status(line);
}

void session_tell_epoch(struct session *s)
{
    char line[300];
    if (!session_is_first(s) || session_seconds() - s->told < LINES)
        return;
    s->told = session_seconds();
    describe(s, line, sizeof line);
    s->options.say(line);
}

/* How good the weights are that were written. */
static void describe_end(const struct session *s, char *to, size_t size)
{
    size_t held = s->validation ? store_count(s->validation) : 0;
    if (!held) {
        snprintf(to, size, "loss %.3f; what it does on other images, --val or score(1) tells",
                 s->loss);
        return;
    }
    int n = snprintf(to, size, "DSC %.3f", s->best);
    if (!isnan(s->chosen.ap50))
        n += snprintf(to + n, size - (size_t)n, ", AP50 %.3f", s->chosen.ap50);
    snprintf(to + n, size - (size_t)n, " on %zu held-out sample%s (the best of %.0f epoch%s)", held,
             held == 1 ? "" : "s", s->epoch, s->epoch == 1 ? "" : "s");
}

void session_tell_end(struct session *s)
{
    char line[5000], quality[300], time[32];
    if (!session_is_first(s))
        return;
    describe_end(s, quality, sizeof quality);
    snprintf(line, sizeof line, "wrote '%s' after %" PRId64 " steps, %s: %s", s->options.output,
             trainer_steps(s->trainer), text_duration(time, sizeof time, session_elapsed(s)),
             quality);
    s->options.say(line);
}
