/* Marks functions that are worth compiling twice: for every machine, and for those of the
 * last ten years with eight lanes and fused multiply-add.  The loader picks. */
#ifndef AGENT_BASE_SIMD_H
#define AGENT_BASE_SIMD_H

#include <stdint.h> /* tells whether this is glibc, whose loader can pick */

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) &&                    \
	!defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&                         \
	!defined(__SANITIZE_THREAD__)
#define SIMD_CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define SIMD_CLONES
#endif

/* What a hot loop calls must become part of it, however large, or it stays scalar. */
#define SIMD_INLINE static inline __attribute__((always_inline))

#endif
