/* TARGET_CLONES before a hot function compiles it once for each x86-64 level and
 * picks at start, so that one binary serves every machine.  Off under the
 * sanitizers, whose runtime starts after the resolvers run. */
#ifndef CORE_TARGET_H
#define CORE_TARGET_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TARGET_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TARGET_CLONES
#endif

#endif
