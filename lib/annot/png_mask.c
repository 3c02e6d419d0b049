#include "annot/png_mask.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* RFC 4648, in place, spaces left out: how many bytes. */
static size_t decode_base64(char *text)
{
    unsigned bits = 0;
    int count = 0;
    size_t used = 0;
    for (const char *p = text; *p; p++) {
        int value = digit(*p);
        if (value < 0)
            continue;
        bits = bits << 6 | (unsigned)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            text[used++] = (char)(bits >> count);
        }
    }
    return used;
}

static int read_pixels(png_image *image, struct build *build, int64_t x, int64_t y, struct err *err)
{
    if (build_check_mask(image->width, image->height, err))
        return -1;
    image->format = PNG_FORMAT_GRAY;
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(*image));
    if (!pixels)
        return err_memory(err, "a mask");
    int result = 0;
    if (!png_image_finish_read(image, &(png_color){0, 0, 0}, pixels, 0, NULL))
        result = err_set(err, STATUS_DATA, "a mask that is a broken PNG");
    else
        result = build_mask(build, pixels, x, y, image->width, image->height, err);
    free(pixels);
    return result;
}

int png_mask(struct scan *scan, struct build *build, int64_t x, int64_t y, struct err *err)
{
    struct scan end = *scan;
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (scan_skip(&end, err))
        return -1;
    size_t room = (size_t)(end.at - scan->at);
    char *text = malloc(room);
    if (!text)
        return err_memory(err, "a mask");
    int result = scan_string(scan, text, room, err);
    if (result == 0) {
        size_t size = decode_base64(text);
        if (!png_image_begin_read_from_memory(&image, text, size))
            result = err_set(err, STATUS_DATA, "a mask that is no PNG");
        else
            result = read_pixels(&image, build, x, y, err);
        png_image_free(&image);
    }
    free(text);
    return result;
}
