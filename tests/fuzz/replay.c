/* A main for a target without libFuzzer: every file of the folders goes through it, and then as
 * many changed ones as is asked for, always the same.
 *
 *     replay [-n CHANGED] FOLDER... */
#include <dirent.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/parts.h"

#pragma weak LLVMFuzzerCustomMutator

#define MAX_FILES 4096

static struct input {
    uint8_t *bytes;
    size_t size;
} inputs[MAX_FILES];
static int input_count;
static uint64_t state = 1;

static unsigned random_number(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33);
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    size_t at = size ? random_number() % size : 0;
    size_t to = size ? random_number() % size : 0, length = 1 + random_number() % 8;
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, '0', '9', '-'};
    if (!size)
        return size;
    switch (random_number() % 6) {
    case 0:
        data[at] ^= (uint8_t)(1u << random_number() % 8);
        return size;
    case 1:
        data[at] = values[random_number() % sizeof values];
        return size;
    case 2:
        data[at] = (uint8_t)random_number();
        return size;
    case 3:
        length = length < size - (at > to ? at : to) ? length : size - (at > to ? at : to);
        memmove(data + at, data + to, length);
        return size;
    case 4:
        length = length < size - at ? length : size - at;
        memmove(data + at, data + at + length, size - at - length);
        return size - length;
    default:
        length = length < max_size - size ? length : max_size - size;
        memmove(data + at + length, data + at, size - at);
        return size + length;
    }
}

static void read_input(const char *folder, const char *name)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (stat(path, &st) || !S_ISREG(st.st_mode) || input_count == MAX_FILES)
        return;
    struct input *input = &inputs[input_count++];
    FILE *file = fopen(path, "rb");
    input->size = (size_t)st.st_size;
    input->bytes = malloc(input->size + 1);
    if (!file || !input->bytes || fread(input->bytes, 1, input->size, file) != input->size)
        abort();
    fclose(file);
}

/* In the order of their names, so that changed ones are always the same. */
static void read_folder(const char *folder)
{
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort);
    if (count < 0) {
        fprintf(stderr, "replay: read '%s': no folder\n", folder);
        exit(66);
    }
    for (int i = 0; i < count; i++) {
        read_input(folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
}

static size_t change(uint8_t *bytes, size_t size, size_t room)
{
    for (unsigned n = 1 + random_number() % 3; n; n--)
        size = LLVMFuzzerCustomMutator ? LLVMFuzzerCustomMutator(bytes, size, room, random_number())
                                       : LLVMFuzzerMutate(bytes, size, room);
    return size;
}

static void run_changed(const struct input *input)
{
    size_t room = 2 * input->size + 1024;
    uint8_t *bytes = malloc(room);
    if (!bytes)
        abort();
    memcpy(bytes, input->bytes, input->size);
    size_t size = change(bytes, input->size, room);
    uint8_t *exact = malloc(size ? size : 1); /* so that a step beyond is seen */
    if (!exact)
        abort();
    memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    free(bytes);
}

int main(int argc, char **argv)
{
    int changed = 0, first = 1;
    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        changed = atoi(argv[2]);
        first = 3;
    }
    for (int i = first; i < argc; i++)
        read_folder(argv[i]);
    if (!input_count) {
        fprintf(stderr, "usage: replay [-n CHANGED] FOLDER...: no files\n");
        return 64;
    }
    for (int i = 0; i < input_count; i++)
        LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].size);
    for (int i = 0; i < changed; i++)
        run_changed(&inputs[random_number() % (unsigned)input_count]);
    for (int i = 0; i < input_count; i++)
        free(inputs[i].bytes);
    printf("%d files, %d changed\n", input_count, changed);
    return 0;
}
