#include <stdlib.h>
#include <string.h>

#include "train/persistence.h"

/* One patch: copies of both images' pixels, and where they come from. */
struct patch {
    const struct topology_options *options;
    float *student, *teacher;
    size_t y, x, height, width; /* in the image */
    size_t stride;              /* the image's width */
    float *gradient;            /* of the whole image, or NULL */
    double loss;
};

static void add_gradient(struct patch *p, uint32_t pixel, double value)
{
    if (!p->gradient || pixel == PERSISTENCE_NO_PIXEL)
        return;
    size_t y = p->y + pixel / p->width, x = p->x + pixel % p->width;
    p->gradient[y * p->stride + x] += (float)value;
}

static void move_to(struct patch *p, const struct feature *from, const struct feature *to)
{
    double birth = (double)from->birth - (double)to->birth;
    double death = (double)from->death - (double)to->death;
    p->loss += birth * birth + death * death;
    add_gradient(p, from->birth_pixel, 2 * birth);
    add_gradient(p, from->death_pixel, 2 * death);
}

static void remove_feature(struct patch *p, const struct feature *feature)
{
    double persistence = (double)feature->birth - (double)feature->death;
    p->loss += persistence * persistence;
    add_gradient(p, feature->birth_pixel, 2 * persistence);
    add_gradient(p, feature->death_pixel, -2 * persistence);
}

static int compare_diagrams(struct patch *p, const struct diagram *student,
                            const struct diagram *teacher, struct err *err)
{
    size_t signal = diagram_signal(student, p->options->threshold);
    size_t expected = diagram_signal(teacher, p->options->threshold);
    uint32_t *partner = malloc((signal + 1) * sizeof *partner);
    if (!partner)
        return err_memory(err, "a matching");
    int result = wasserstein_match(student->features, signal, teacher->features, expected,
                                   p->options->matching, partner, NULL, err);
    for (size_t i = 0; i < student->count && !result; i++) {
        if (i < signal && partner[i] != UINT32_MAX)
            move_to(p, &student->features[i], &teacher->features[partner[i]]);
        else
            remove_feature(p, &student->features[i]);
    }
    free(partner);
    return result;
}

typedef int diagram_function(struct diagram *diagram, const float *image, size_t height,
                             size_t width, enum connectivity connectivity, struct err *err);

static int add_dimension(struct patch *p, diagram_function *diagram_of, struct err *err)
{
    struct diagram student = {0}, teacher = {0};
    enum connectivity connectivity = p->options->connectivity;
    int result = diagram_of(&student, p->student, p->height, p->width, connectivity, err);
    if (!result)
        result = diagram_of(&teacher, p->teacher, p->height, p->width, connectivity, err);
    if (!result)
        result = compare_diagrams(p, &student, &teacher, err);
    diagram_free(&student);
    diagram_free(&teacher);
    return result;
}

static void cut(float *to, const float *image, const struct patch *p)
{
    for (size_t y = 0; y < p->height; y++)
        memcpy(to + y * p->width, image + (p->y + y) * p->stride + p->x, p->width * sizeof *to);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int add_patches(struct patch *p, const float *student, const float *teacher, size_t height,
                       struct err *err)
{
    size_t size = p->options->patch;
    for (p->y = 0; p->y < height; p->y += size)
        for (p->x = 0; p->x < p->stride; p->x += size) {
            p->height = smaller(size, height - p->y);
            p->width = smaller(size, p->stride - p->x);
            cut(p->student, student, p);
            cut(p->teacher, teacher, p);
            if (add_dimension(p, persistence_components, err) ||
                (p->options->holes && add_dimension(p, persistence_holes, err)))
                return -1;
        }
    return 0;
}

int topology_loss(const float *student, const float *teacher, size_t height, size_t width,
                  const struct topology_options *options, double *loss, float *gradient,
                  struct err *err)
{
    size_t pixels = smaller(options->patch, height) * smaller(options->patch, width);
    struct patch p = {.options = options,
                      .student = malloc((pixels + 1) * sizeof(float)),
                      .teacher = malloc((pixels + 1) * sizeof(float)),
                      .stride = width,
                      .gradient = gradient};
    int result = p.student && p.teacher ? 0 : err_memory(err, "a patch");
    if (!result && options->patch == 0)
        result = err_set(err, STATUS_USAGE, "patches of 0 pixels");
    if (!result && gradient)
        memset(gradient, 0, height * width * sizeof *gradient);
    if (!result)
        result = add_patches(&p, student, teacher, height, err);
    *loss = p.loss;
    free(p.student);
    free(p.teacher);
    return result;
}
