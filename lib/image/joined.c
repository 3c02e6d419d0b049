#include "image/joined.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/names.h"
#include "image/codec.h"
#include "image/samples.h"

#define DIGITS       4 /* of a channel's number */
#define FEW_CHANNELS 4 /* more files are frames of a film, unless they lie in nnU-Net's folders */

/* ---- which files belong together ---- */

struct numbered {
    const char *path, *digits; /* digits: in the path, NULL when it has none */
    size_t index;
    int number;
};

static struct numbered number_of(const char *path, size_t index)
{
    size_t length;
    const char *stem = names_stem(path, &length), *digits = stem + length - DIGITS;
    struct numbered file = {path, NULL, index, 0};
    if (length < DIGITS + 2 || digits[-1] != '_')
        return file;
    for (int i = 0; i < DIGITS; i++) {
        if (!isdigit((unsigned char)digits[i]))
            return file;
        file.number = 10 * file.number + digits[i] - '0';
    }
    file.digits = digits;
    return file;
}

/* By what is before and after the number, then by the number. */
static int compare_names(const struct numbered *a, const struct numbered *b)
{
    if (!a->digits || !b->digits)
        return a->digits || b->digits ? (a->digits ? 1 : -1) : strcmp(a->path, b->path);
    size_t x = (size_t)(a->digits - a->path), y = (size_t)(b->digits - b->path);
    int order = strncmp(a->path, b->path, x < y ? x : y);
    order = order ? order : (x > y) - (x < y);
    return order ? order : strcmp(a->digits + DIGITS, b->digits + DIGITS);
}

static int compare(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    int order = compare_names(x, y);
    order = order ? order : (x->number > y->number) - (x->number < y->number);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static bool is_in_folder_of_nnunet(const struct numbered *file)
{
    static const char *const folders[] = {"imagesTr/", "imagesTs/", "imagesVal/"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        size_t stem, n = strlen(folders[i]);
        const char *base = names_stem(file->path, &stem);
        if ((size_t)(base - file->path) >= n && memcmp(base - n, folders[i], n) == 0)
            return true;
    }
    return false;
}

/* All of its channels. */
static int measure(const char *path, struct image_info *info)
{
    struct image_planes planes = planes_chosen.image;
    struct image_reader *reader;
    struct err unused;
    planes.channel = NULL;
    if (image_open_for(&reader, path, IMAGE_FOR_COLORS, &planes, &unused))
        return -1;
    *info = *image_info(reader);
    image_close(reader);
    return 0;
}

static bool are_gray(const struct numbered *files, size_t count)
{
    struct image_info first, info;
    for (size_t i = 0; i < count; i++) {
        if (measure(files[i].path, &info) || info.channels != 1)
            return false;
        first = i ? first : info;
        if (info.width != first.width || info.height != first.height || info.bits != first.bits)
            return false;
    }
    return true;
}

static bool are_channels(const struct numbered *files, size_t count, enum joined_wish wish)
{
    if (wish == JOINED_IMAGES || count < 2 || !files[0].digits)
        return false;
    for (size_t i = 0; i < count; i++)
        if (files[i].number != (int)i &&
            (wish == JOINED_AUTO || i == 0 || files[i].number == files[i - 1].number))
            return false;
    return wish == JOINED_CHANNELS || is_in_folder_of_nnunet(&files[0]) ||
           (count <= FEW_CHANNELS && are_gray(files, count));
}

/* case_0000.png without the number. */
static char *name_of(const struct numbered *file, bool joins)
{
    char *name = strdup(file->path);
    if (name && joins) {
        size_t at = (size_t)(file->digits - file->path) - 1;
        memmove(name + at, name + at + 1 + DIGITS, strlen(name + at + 1 + DIGITS) + 1);
    }
    return name;
}

/* The image of the first of `count` files, or of all of them. */
static int make_image(struct joined *image, const struct numbered *files, size_t count,
                      struct err *err)
{
    image->name = name_of(files, count > 1);
    image->paths = malloc(count * sizeof *image->paths);
    if (!image->name || !image->paths)
        return err_memory(err, "names of images");
    for (size_t i = 0; i < count; i++)
        image->paths[image->count++] = files[i].path;
    return 0;
}

/* At its first file's index; others of a joined image stay empty. */
static int make_images(struct joined *images, const struct numbered *files, size_t count,
                       enum joined_wish wish, struct err *err)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && compare_names(&files[i], &files[end]) == 0; end++)
            ;
        size_t together = are_channels(files + i, end - i, wish) ? end - i : 1;
        for (size_t k = i; k < end; k += together) {
            size_t first = files[k].index;
            for (size_t j = 1; j < together; j++)
                first = files[k + j].index < first ? files[k + j].index : first;
            if (make_image(&images[first], files + k, together, err))
                return -1;
        }
    }
    return 0;
}

int joined_new(struct joined **images, size_t *image_count, char *const *paths, size_t count,
               enum joined_wish wish, struct err *err)
{
    struct numbered *files = calloc(count + 1, sizeof *files);
    *images = calloc(count + 1, sizeof **images);
    if (!files || !*images) {
        free(files);
        free(*images);
        return err_memory(err, "names of images");
    }
    for (size_t i = 0; i < count; i++)
        files[i] = number_of(paths[i], i);
    qsort(files, count, sizeof *files, compare);
    int result = make_images(*images, files, count, wish, err);
    free(files);
    *image_count = 0;
    for (size_t i = 0; i < count; i++)
        if ((*images)[i].name || (*images)[i].paths)
            (*images)[(*image_count)++] = (*images)[i];
    if (result)
        joined_free(*images, *image_count);
    return result;
}

void joined_free(struct joined *images, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(images[i].name);
        free(images[i].paths);
    }
    free(images);
}

/* ---- reading them ---- */

struct joined_state {
    struct image_reader **files;
    size_t count;
    void *rows; /* of one of them */
    int64_t room;
    bool failed; /* to go back to the first row */
    struct err reason;
};

static int read_joined(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    struct joined_state *s = reader->state;
    size_t bytes = (size_t)reader->info.bits / 8, row = (size_t)reader->info.width * bytes;
    if (s->failed) {
        *err = s->reason;
        return -1;
    }
    for (int64_t y = 0; y < rows; y++)
        for (size_t c = 0; c < s->count; c++) {
            if (image_read_rows(s->files[c], 1, s->rows, err))
                return -1;
            samples_interleave(s->rows, (size_t)reader->info.width, bytes, (int)s->count, (int)c,
                               (uint8_t *)to + (size_t)y * row * s->count);
        }
    return 0;
}

static void close_joined(struct image_reader *reader)
{
    struct joined_state *s = reader->state;
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        image_close(s->files[i]);
    free(s->files);
    free(s->rows);
    free(s);
    reader->state = NULL;
}

static void rewind_joined(struct image_reader *reader)
{
    struct joined_state *s = reader->state;
    for (size_t i = 0; i < s->count && !s->failed; i++)
        s->failed = image_rewind(s->files[i], &s->reason) != 0;
}

static int open_joined(struct image_reader *reader, struct err *err)
{
    (void)reader;
    return err_set(err, STATUS_BUG, "channels in files of their own are opened by joined_open");
}

static const struct image_decoder joined_decoder = {"joined", open_joined, read_joined,
                                                    close_joined, rewind_joined};

/* The next file, with all of its channel. */
static int add_file(struct image_reader *reader, struct joined_state *s, const char *path,
                    struct err *err)
{
    struct image_planes planes = planes_chosen.image;
    planes.channel = NULL;
    if (image_open_for(&s->files[s->count], path, IMAGE_FOR_COLORS, &planes, err))
        return -1;
    const struct image_info *info = image_info(s->files[s->count++]), *first = &reader->info;
    if (info->channels != 1)
        return err_set(err, STATUS_DATA,
                       "read '%s': %d channels, a channel in a file of its own is gray", path,
                       info->channels);
    if (s->count == 1)
        reader->info = *info;
    else if (info->width != first->width || info->height != first->height ||
             info->bits != first->bits || info->is_label != first->is_label)
        return err_set(err, STATUS_DATA, "read '%s': another size or type than '%s'", path,
                       reader->source.name);
    return 0;
}

static int add_files(struct image_reader *reader, const char *const *paths, size_t count,
                     struct err *err)
{
    struct joined_state *s = reader->state = calloc(1, sizeof *s);
    reader->source = (struct image_source){.fd = -1, .name = strdup(paths[0])};
    if (!s || !reader->source.name || !(s->files = calloc(count, sizeof(struct image_reader *))))
        return err_memory(err, "channels in files of their own");
    for (size_t i = 0; i < count; i++)
        if (add_file(reader, s, paths[i], err))
            return -1;
    if (count > IMAGE_MAX_CHANNELS)
        return image_bad(reader, err, "%zu channels, at most %d are read", count,
                         IMAGE_MAX_CHANNELS);
    s->rows = malloc(image_row_bytes(&reader->info));
    reader->info.channels = (int)count;
    return s->rows ? 0 : err_memory(err, "a row");
}

int joined_open(struct image_reader **result, const char *const *paths, size_t count,
                struct err *err)
{
    if (count == 1)
        return image_open(result, paths[0], err);
    struct image_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return err_memory(err, "an image reader");
    reader->source.fd = -1;
    reader->decoder = &joined_decoder;
    reader->planes.channel = planes_chosen.image.channel;
    if (add_files(reader, paths, count, err) || image_choose_channels(reader, err)) {
        image_close(reader);
        return -1;
    }
    *result = reader;
    return 0;
}
