/* Prints diagrams and distances for comparison with other programs.
 *
 *     persistence components|holes 4|8 HEIGHT WIDTH <float32     birth death, tab-separated
 *     persistence 1|2 COUNT COUNT <float32 pairs                 the Wasserstein distance */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/persistence.h"

static void *read_floats(size_t count, size_t size)
{
    void *data = calloc(count + 1, size);
    if (!data || fread(data, size, count, stdin) != count)
        exit(1);
    return data;
}

static int print_diagram(char **argv)
{
    struct diagram d;
    struct err err;
    size_t height = strtoul(argv[3], NULL, 10), width = strtoul(argv[4], NULL, 10);
    enum connectivity connectivity = argv[2][0] == '8' ? CONNECT_8 : CONNECT_4;
    float *image = read_floats(height * width, sizeof *image);
    int failed = strcmp(argv[1], "holes") == 0
                     ? persistence_holes(&d, image, height, width, connectivity, &err)
                     : persistence_components(&d, image, height, width, connectivity, &err);
    if (failed)
        return 1;
    for (size_t i = 0; i < d.count; i++)
        printf("%.9g\t%.9g\n", (double)d.features[i].birth, (double)d.features[i].death);
    diagram_free(&d);
    free(image);
    return 0;
}

static struct feature *read_features(size_t count)
{
    struct feature *features = calloc(count + 1, sizeof *features);
    float *pairs = read_floats(count, 2 * sizeof *pairs);
    for (size_t i = 0; features && i < count; i++)
        features[i] = (struct feature){.birth = pairs[2 * i], .death = pairs[2 * i + 1]};
    free(pairs);
    return features;
}

static int print_distance(char **argv)
{
    struct err err;
    double distance;
    size_t a_count = strtoul(argv[2], NULL, 10), b_count = strtoul(argv[3], NULL, 10);
    struct feature *a = read_features(a_count), *b = read_features(b_count);
    uint32_t *partner = calloc(a_count + 1, sizeof *partner);
    enum wasserstein kind = argv[1][0] == '1' ? WASSERSTEIN_1_MAX : WASSERSTEIN_2_L2;
    if (!a || !b || !partner ||
        wasserstein_match(a, a_count, b, b_count, kind, partner, &distance, &err))
        return 1;
    printf("%.12g\n", distance);
    free(a);
    free(b);
    free(partner);
    return 0;
}

int main(int argc, char **argv)
{
    return argc == 5 ? print_diagram(argv) : argc == 4 ? print_distance(argv) : 64;
}
