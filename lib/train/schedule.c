#include "train/schedule.h"

#include <math.h>

#define PI 3.14159265358979323846

static double decay(const struct schedule *s, double progress)
{
    switch (s->kind) {
    case SCHEDULE_POLY:
        return pow(1 - progress, s->power);
    case SCHEDULE_EXP:
        return pow(s->ratio, progress);
    case SCHEDULE_COSINE:
        return 0.5 * (1 + cos(PI * progress));
    case SCHEDULE_CONSTANT:
        break;
    }
    return 1;
}

double schedule_rate(const struct schedule *schedule, double progress)
{
    double p = progress < 0 ? 0 : progress > 1 ? 1 : progress;
    double rise = schedule->warmup > 0 && p < schedule->warmup ? p / schedule->warmup : 1;
    return schedule->start * decay(schedule, p) * rise;
}
