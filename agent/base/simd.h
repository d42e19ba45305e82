/* Marks functions that are compiled twice: for any x86-64, and for processors with eight
 * lanes and fused multiply-add (x86-64-v3).  The loader picks one at the start. */
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

/* Marks functions called in such loops: unless they are inlined, the loop is scalar. */
#define SIMD_INLINE static inline __attribute__((always_inline))

#endif
