#include "image/output.h"

int image_destination_set(struct destination *destination, const char *path, const char *suffix,
                          struct err *err)
{
    if (destination_set(destination, path, suffix, err))
        return -1;
    return destination->is_folder ? 0 : image_check_name(path, err);
}

enum image_format image_output_format(const struct destination *to, enum image_format otherwise)
{
    bool is_named = !to->is_folder && !destination_is_stdout(to);
    return is_named ? image_format_of_name(to->path) : otherwise;
}

int image_output_create(struct image_writer **writer, const struct image_output *output,
                        const struct image_info *info, struct err *err)
{
    char path[4096];
    const char *ending = image_format_ending(output->format);
    if (destination_file(output->to, output->stem, output->source, ending, path, sizeof path, err))
        return -1;
    return image_create(writer, path, output->format, output->compression, info, err);
}
