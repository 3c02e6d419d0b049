#include <string.h>

#include "core/num.h"
#include "nn/nn.h"

int nn_find_device(const char *text, int any, int *device, struct err *err)
{
    int64_t number = any;
    *device = NN_CPU;
    if (strcmp(text, "cpu") == 0)
        return 0;
    if (strncmp(text, "cuda", 4) != 0 || (text[4] && text[4] != ':') ||
        (text[4] && num_int(text + 5, 0, 1023, &number, err)))
        return err_set(err, STATUS_USAGE, "device '%s': not cpu, cuda or cuda:N", text);
    if (number >= nn_cuda_count())
        return err_set(err, STATUS_USAGE, "device '%s': there are %d CUDA devices here", text,
                       nn_cuda_count());
    *device = (int)number;
    return 0;
}
