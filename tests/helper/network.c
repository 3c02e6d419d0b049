/* Weights of a network for the shell tests: network ARCH CLASSES CHANNELS SEED FILE */
#include <stdio.h>
#include <stdlib.h>

#include "model/model.h"

int main(int argc, char **argv)
{
    struct weights weights = {0};
    struct model *model;
    struct err err;
    if (argc != 6)
        return STATUS_USAGE;
    if (model_new(&model, argv[1], atoi(argv[2]), atoi(argv[3]), &err) ||
        model_initialise(model, (uint64_t)atoi(argv[4]), &err) ||
        model_export(model, &weights, &err) || weights_write(&weights, argv[5], &err)) {
        fprintf(stderr, "network: %s\n", err.message);
        return (int)err.status;
    }
    weights_free(&weights);
    model_free(model);
    return 0;
}
