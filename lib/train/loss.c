#include "train/loss.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define SMOOTH 1e-5
#define TINY   1e-12

#define FLOW_SCALE 5 /* networks give flows times 5, as Cellpose does */

int loss_objective_parse(enum loss_objective *objective, const char *text, struct err *err)
{
    static const struct {
        const char *name;
        enum loss_objective objective;
    } names[] = {
        {"balance", LOSS_BALANCE}, {"balance:released", LOSS_BALANCE_RELEASED},
        {"norm", LOSS_NORM},       {"norm:released", LOSS_NORM},
        {"pareto", LOSS_PARETO},   {"pareto:released", LOSS_PARETO_RELEASED},
        {"mgda", LOSS_MGDA},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, text) == 0) {
            *objective = names[i].objective;
            return 0;
        }
    return err_set(err, STATUS_USAGE,
                   "loss '%s': not balance, norm, pareto (each also with :released) or mgda", text);
}

/* ---- losses ---- */

nn_tensor *loss_ce(const nn_tensor *logits, const nn_tensor *target)
{
    return nn_cross_entropy(logits, target, NULL, -100);
}

nn_tensor *loss_dice(const nn_tensor *logits, const nn_tensor *target)
{
    static const int64_t pixels[] = {0, 2, 3};
    nn_tensor *p = nn_softmax(logits, 1);
    nn_tensor *t = nn_one_hot(target, nn_size(logits, 1));
    nn_tensor *common = nn_sum_dims(nn_mul(p, t), 3, pixels, false);
    nn_tensor *squares =
        nn_add(nn_sum_dims(nn_square(p), 3, pixels, false), nn_sum_dims(t, 3, pixels, false));
    nn_tensor *ratio = nn_div(nn_affine(common, 2, SMOOTH), nn_affine(squares, 1, SMOOTH));
    return nn_affine(nn_mean(ratio), -1, 1);
}

nn_tensor *loss_flow(const nn_tensor *flows, const nn_tensor *target, const nn_tensor *taught)
{
    nn_tensor *lack = nn_square(nn_sub(flows, nn_affine(target, FLOW_SCALE, 0)));
    nn_tensor *images = nn_mean_dims(lack, 3, (int64_t[]){1, 2, 3}, true);
    nn_tensor *count = nn_clamp(nn_sum(taught), 1, INFINITY);
    return nn_affine(nn_div(nn_sum(nn_mul(images, taught)), count), 0.5, 0);
}

/* ---- the min-norm point ---- */

/* Solves A x = b, n at most LOSS_TERMS, by Gaussian elimination with pivoting;
 * false when A is singular. */
static bool solve(int n, double a[LOSS_TERMS][LOSS_TERMS], double *b, double *x)
{
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k + 1; i < n; i++)
            best = fabs(a[i][k]) > fabs(a[best][k]) ? i : best;
        if (fabs(a[best][k]) < 1e-300)
            return false;
        for (int j = 0; j < n; j++) {
            double t = a[k][j];
            a[k][j] = a[best][j];
            a[best][j] = t;
        }
        double t = b[k];
        b[k] = b[best];
        b[best] = t;
        for (int i = k + 1; i < n; i++) {
            double f = a[i][k] / a[k][k];
            for (int j = k; j < n; j++)
                a[i][j] -= f * a[k][j];
            b[i] -= f * b[k];
        }
    }
    for (int k = n - 1; k >= 0; k--) {
        x[k] = b[k];
        for (int j = k + 1; j < n; j++)
            x[k] -= a[k][j] * x[j];
        x[k] /= a[k][k];
    }
    return true;
}

/* The stationary point on the face of the simplex that `face` names by its bits;
 * false when it lies outside. */
static bool face_point(const double *gram, int n, unsigned face, double *weights)
{
    int members[LOSS_TERMS], m = 0;
    double a[LOSS_TERMS][LOSS_TERMS], ones[LOSS_TERMS], x[LOSS_TERMS], sum = 0;
    for (int i = 0; i < n; i++)
        if (face >> i & 1)
            members[m++] = i;
    for (int i = 0; i < m; i++) {
        ones[i] = 1;
        for (int j = 0; j < m; j++)
            a[i][j] = gram[members[i] * n + members[j]];
    }
    if (!solve(m, a, ones, x))
        return false;
    for (int i = 0; i < m; i++)
        sum += x[i];
    memset(weights, 0, (size_t)n * sizeof *weights);
    for (int i = 0; i < m; i++) {
        weights[members[i]] = x[i] / sum;
        if (!(weights[members[i]] >= 0))
            return false;
    }
    return true;
}

static double quadratic(const double *gram, int n, const double *w)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            sum += w[i] * w[j] * gram[i * n + j];
    return sum;
}

void loss_min_norm(const double *gram, int n, double *weights)
{
    double best = INFINITY, candidate[LOSS_TERMS];
    for (int i = 0; i < n; i++)
        weights[i] = 1.0 / n;
    for (unsigned face = 1; face < 1u << n; face++) {
        double vertex[LOSS_TERMS] = {0};
        bool single = (face & (face - 1)) == 0, inside;
        if (single)
            for (int i = 0; i < n; i++)
                vertex[i] = face >> i & 1;
        inside = single || face_point(gram, n, face, candidate);
        const double *point = single ? vertex : candidate;
        double value = inside ? quadratic(gram, n, point) : INFINITY;
        if (value < best) {
            best = value;
            memcpy(weights, point, (size_t)n * sizeof *weights);
        }
    }
}

/* ---- objectives ---- */

/* The weight of a loss before lambda and beta; `first` is the cross entropy. */
static double inner_weight(enum loss_objective objective, enum loss_term term, double value,
                           double first)
{
    static const double released[LOSS_TERMS] = {0.3, 0.3, 0.2, 0.2, 0.3};
    switch (objective) {
    case LOSS_BALANCE:
        return 0.5;
    case LOSS_BALANCE_RELEASED:
        return released[term];
    case LOSS_NORM:
        return 1 / (fabs(value) + TINY);
    case LOSS_PARETO:
        return term == LOSS_CE ? 1 : fabs(first) / (fabs(value) + TINY);
    case LOSS_PARETO_RELEASED:
    case LOSS_MGDA:
        break;
    }
    return 1;
}

/* Weights of `count` losses, of which terms[i] says what the i-th is, from their values, and
 * for LOSS_MGDA from the Gram matrix of their gradients, count x count (NULL for the
 * others). */
static void loss_weights(const struct loss_options *options, const enum loss_term *terms, int count,
                         const double *values, const double *gram, double *weights)
{
    bool plain = true, balance = options->objective == LOSS_BALANCE;
    for (int i = 0; i < count; i++)
        plain &= terms[i] != LOSS_CE_OUT;
    double lambda = options->lambda, beta = options->beta;
    if (lambda == 0)
        lambda = balance && !plain ? 0.5 : 1;
    if (beta == 0)
        beta = balance ? 0.5 : 1;
    enum loss_objective objective = options->objective;
    if (plain && objective == LOSS_BALANCE_RELEASED)
        objective = LOSS_BALANCE; /* before outliers: TransUNet's own halves */
    if (objective == LOSS_MGDA)
        loss_min_norm(gram, count, weights);
    for (int i = 0; i < count; i++) {
        bool outlier = terms[i] == LOSS_CE_OUT || terms[i] == LOSS_DICE_OUT;
        if (objective != LOSS_MGDA)
            weights[i] = inner_weight(objective, terms[i], values[i], values[0]);
        weights[i] *= outlier ? beta : lambda;
    }
}

/* Gram matrix of the losses' gradients by the answer: descent directions of the
 * network's answer, which bound those of its parameters (the cited paper's
 * MGDA-UB). */
static int gram_of(nn_tensor *const *terms, int n, const nn_tensor *answer, double *gram)
{
    nn_tensor *gradients[LOSS_TERMS], *by[] = {(nn_tensor *)answer};
    for (int i = 0; i < n; i++)
        if (nn_gradients_of(terms[i], by, 1, true, &gradients[i]))
            return -1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            if (nn_item(nn_dot(gradients[i], gradients[j]), &gram[i * n + j]))
                return -1;
            gram[j * n + i] = gram[i * n + j];
        }
    return 0;
}

/* The losses that there are, by name; how many. */
static int list_terms(const struct loss_input *in, enum loss_term *names, nn_tensor **terms)
{
    int n = 0;
    terms[n] = loss_ce(in->logits, in->target);
    names[n++] = LOSS_CE;
    terms[n] = loss_dice(in->logits, in->target);
    names[n++] = LOSS_DICE;
    if (in->synthetic) {
        terms[n] = loss_ce(in->synthetic, in->target);
        names[n++] = LOSS_CE_OUT;
        terms[n] = loss_dice(in->synthetic, in->target);
        names[n++] = LOSS_DICE_OUT;
    }
    if (in->flows) {
        terms[n] = loss_flow(in->flows, in->flow_target, in->taught);
        names[n++] = LOSS_FLOW;
    }
    return n;
}

int loss_objective_of(const struct loss_options *options, const struct loss_input *input,
                      struct loss_result *result, struct err *err)
{
    enum loss_term names[LOSS_TERMS];
    nn_tensor *terms[LOSS_TERMS], *total = NULL;
    double gram[LOSS_TERMS * LOSS_TERMS], values[LOSS_TERMS], weights[LOSS_TERMS];
    int n = list_terms(input, names, terms);
    *result = (struct loss_result){0};
    for (int i = 0; i < n; i++)
        if (nn_item(terms[i], &values[i]))
            return nn_to_err(err, "loss");
    const nn_tensor *answer = input->answer ? input->answer : input->logits;
    if (options->objective == LOSS_MGDA && gram_of(terms, n, answer, gram))
        return nn_to_err(err, "gradients of the losses");
    loss_weights(options, names, n, values, gram, weights);
    for (int i = 0; i < n; i++) {
        nn_tensor *part = nn_affine(terms[i], weights[i], 0);
        total = i ? nn_add(total, part) : part;
        result->value[names[i]] = values[i];
        result->weight[names[i]] = weights[i];
    }
    result->total = total;
    return total ? 0 : nn_to_err(err, "loss");
}
