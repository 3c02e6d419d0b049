#include <math.h>
#include <stdlib.h>

#include "core/target.h"
#include "train/persistence.h"

#define NONE UINT32_MAX

/* The assignment problem that remains when every feature starts on the diagonal: a
 * pair gains what it saves against that (a negative cost); without a gain each goes
 * its own way.  Rows of `a` enter one by one by shortest augmenting paths with
 * potentials (Jonker and Volgenant 1987); every row may also stay on the diagonal
 * at no cost, every column may stay free. */
struct problem {
    size_t columns;
    const struct feature *a;
    double *birth, *death, *diagonal; /* of b: positions, and the cost of the diagonal */
    double *row_potential, *column_potential;
    double *shortest; /* of each column: the length of the path found so far */
    double *closed;   /* infinity for columns in the tree, else 0 */
    double *from;     /* the row before it on that path */
    uint32_t *column_of, *row_of;
    uint32_t *tree; /* the closed columns */
    size_t tree_size;
    double *memory;
    uint32_t *indices;
};

static double diagonal_cost(const struct feature *a, enum wasserstein kind)
{
    double persistence = (double)a->birth - (double)a->death;
    return (kind == WASSERSTEIN_1_MAX ? fabs(persistence) : persistence * persistence) / 2;
}

static inline double move_cost(double birth, double death, enum wasserstein kind)
{
    if (kind == WASSERSTEIN_2_L2)
        return birth * birth + death * death;
    birth = fabs(birth);
    death = fabs(death);
    return birth > death ? birth : death;
}

/* Shortens the paths to all open columns by way of a row that is `base` away. */
static inline void relax_kind(struct problem *p, size_t row, double base, enum wasserstein kind)
{
    const double birth = (double)p->a[row].birth, death = (double)p->a[row].death;
    const double own = diagonal_cost(&p->a[row], kind), number = (double)row;
    const double *restrict births = p->birth, *restrict deaths = p->death;
    const double *restrict diagonal = p->diagonal, *restrict potential = p->column_potential;
    const double *restrict closed = p->closed;
    double *restrict shortest = p->shortest, *restrict from = p->from;
    const size_t columns = p->columns;
    for (size_t j = 0; j < columns; j++) {
        double gain = move_cost(births[j] - birth, deaths[j] - death, kind) - own - diagonal[j];
        double path = base + gain - potential[j] + closed[j];
        double length = gain < 0 ? path : (double)INFINITY;
        double old = shortest[j], previous = from[j];
        shortest[j] = length < old ? length : old;
        from[j] = length < old ? number : previous;
    }
}

CLONES(static, void, relax_max, (struct problem * p, size_t row, double base), (p, row, base))
{
    relax_kind(p, row, base, WASSERSTEIN_1_MAX);
}

CLONES(static, void, relax_l2, (struct problem * p, size_t row, double base), (p, row, base))
{
    relax_kind(p, row, base, WASSERSTEIN_2_L2);
}

/* The first open column at the least length; NONE when none is reached. */
static uint32_t nearest_column(const struct problem *p, double *length)
{
    uint32_t nearest = NONE;
    double least = INFINITY;
    for (size_t j = 0; j < p->columns; j++) {
        double open = p->shortest[j] + p->closed[j];
        if (open < least) {
            least = open;
            nearest = (uint32_t)j;
        }
    }
    *length = least;
    return nearest;
}

static void move_potentials(struct problem *p, size_t row, double length)
{
    p->row_potential[row] += length;
    for (size_t i = 0; i < p->tree_size; i++) {
        uint32_t j = p->tree[i];
        double slack = length - p->shortest[j];
        p->column_potential[j] -= slack;
        p->row_potential[p->row_of[j]] += slack;
    }
}

/* Gives `column` to the row before it on the path, that row's column to the one
 * before, and so on up to `first`. */
static void augment(struct problem *p, uint32_t column, uint32_t first)
{
    while (column != NONE) {
        uint32_t row = (uint32_t)p->from[column], freed = p->column_of[row];
        p->row_of[column] = row;
        p->column_of[row] = column;
        column = row == first ? NONE : freed;
    }
}

static void start_tree(struct problem *p)
{
    p->tree_size = 0;
    for (size_t j = 0; j < p->columns; j++) {
        p->shortest[j] = INFINITY;
        p->closed[j] = 0;
    }
}

/* The shortest path from `first` to a free column or to a row that may stay on the
 * diagonal, and the changes along it. */
static void assign_row(struct problem *p, uint32_t first, enum wasserstein kind)
{
    uint32_t row = first, column, resting = first;
    double base = 0, rest = INFINITY, length;
    start_tree(p);
    for (;;) {
        double slack = base - p->row_potential[row];
        if (slack < rest) {
            rest = slack;
            resting = row;
        }
        (kind == WASSERSTEIN_1_MAX ? relax_max : relax_l2)(p, row, slack);
        column = nearest_column(p, &length);
        if (rest <= length || p->row_of[column] == NONE)
            break;
        p->closed[column] = INFINITY;
        p->tree[p->tree_size++] = column;
        base = length;
        row = p->row_of[column];
    }
    move_potentials(p, first, rest <= length ? rest : length);
    if (rest <= length) {
        column = p->column_of[resting];
        p->column_of[resting] = NONE;
    }
    augment(p, column, first);
}

static void problem_free(struct problem *p)
{
    free(p->memory);
    free(p->indices);
}

static int problem_new(struct problem *p, const struct feature *a, size_t rows,
                       const struct feature *b, size_t columns, enum wasserstein kind,
                       struct err *err)
{
    double *memory = calloc(7 * columns + rows + 1, sizeof *memory);
    uint32_t *indices = malloc((2 * columns + rows + 1) * sizeof *indices);
    *p = (struct problem){.a = a, .columns = columns, .memory = memory, .indices = indices};
    if (!memory || !indices) {
        problem_free(p);
        return err_memory(err, "a matching");
    }
    double **arrays[] = {&p->birth, &p->death,    &p->diagonal, &p->column_potential,
                         &p->from,  &p->shortest, &p->closed,   &p->row_potential};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = memory + i * columns;
    p->row_of = indices;
    p->tree = indices + columns;
    p->column_of = indices + 2 * columns;
    for (size_t i = 0; i < 2 * columns + rows; i++)
        indices[i] = NONE;
    for (size_t j = 0; j < columns; j++) {
        p->birth[j] = (double)b[j].birth;
        p->death[j] = (double)b[j].death;
        p->diagonal[j] = diagonal_cost(&b[j], kind);
    }
    return 0;
}

static double total_cost(const struct problem *p, size_t rows, enum wasserstein kind)
{
    double total = 0;
    for (size_t j = 0; j < p->columns; j++)
        total += p->row_of[j] == NONE ? p->diagonal[j] : 0;
    for (size_t i = 0; i < rows; i++) {
        uint32_t j = p->column_of[i];
        total += j == NONE ? diagonal_cost(&p->a[i], kind)
                           : move_cost((double)p->a[i].birth - p->birth[j],
                                       (double)p->a[i].death - p->death[j], kind);
    }
    return total;
}

int wasserstein_match(const struct feature *a, size_t a_count, const struct feature *b,
                      size_t b_count, enum wasserstein kind, uint32_t *partner, double *distance,
                      struct err *err)
{
    struct problem p;
    if (problem_new(&p, a, a_count, b, b_count, kind, err))
        return -1;
    for (size_t i = 0; i < a_count; i++)
        assign_row(&p, (uint32_t)i, kind);
    for (size_t i = 0; i < a_count; i++)
        partner[i] = p.column_of[i];
    if (distance) {
        double total = total_cost(&p, a_count, kind);
        *distance = kind == WASSERSTEIN_1_MAX ? total : sqrt(total);
    }
    problem_free(&p);
    return 0;
}
