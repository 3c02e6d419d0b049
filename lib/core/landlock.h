/* Where a program may still write: Linux's Landlock (landlock(7)), part of core/sandbox.h. */
#ifndef CORE_LANDLOCK_H
#define CORE_LANDLOCK_H

/* From now on files are made, changed and removed only below the folders of what the words of a
 * command line name ("a/b.png", "--output=c/", "-od/e.png"), below the folders of temporary
 * files, and in /dev.  Reading is as it was.  Nothing happens where the kernel cannot. */
void landlock_enter(char *const *words);

#endif
