#include "weights/parts.h"
bool pth_is_legacy(const void *data, size_t size)
{
    (void)data;
    (void)size;
    return false;
}
int pth_read_legacy(struct weights *w, struct err *err)
{
    (void)w;
    return err_set(err, STATUS_DATA, "PyTorch checkpoints are not supported yet");
}
int zip_weights_read(struct weights *w, struct err *err)
{
    (void)w;
    return err_set(err, STATUS_DATA, "zip files are not supported yet");
}
