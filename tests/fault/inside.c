/* A library to preload that is tests/helper/barrage inside of the program it attacks: a program
 * that takes half a second to load its libraries loads them once, and each run is a fork of it.
 *
 *     BARRAGE="cut 1 one.tar" LD_PRELOAD=.../inside.so predict -q -o out.tar
 *
 * The program is called by its name alone; what it says and writes is judged as barrage does. */
#define _GNU_SOURCE
#include <dlfcn.h>

#define main barrage
#include "tests/helper/barrage.c"
#undef main

typedef int main_function(int, char **, char **);

static int attack_inside(int argc, char **argv, char **environment)
{
    static char *words[256];
    int count = 0;
    (void)environment;
    words[count++] = argv[0];
    for (char *word = strtok(getenv("BARRAGE"), " "); word && count < 8; word = strtok(NULL, " "))
        words[count++] = word;
    words[count++] = "--";
    for (int i = 0; i < argc && count < 255; i++)
        words[count++] = argv[i];
    return barrage(count, words);
}

int __libc_start_main(main_function *program, int argc, char **argv, void (*begin)(void),
                      void (*end)(void), void (*linker_end)(void), void *stack)
{
    typedef int starter(main_function *, int, char **, void (*)(void), void (*)(void),
                        void (*)(void), void *);
    starter *start = (starter *)dlsym(RTLD_NEXT, "__libc_start_main");
    inside = program;
    return start(attack_inside, argc, argv, begin, end, linker_end, stack);
}
