#pragma once
/* Vectors of LANES floats, 8 (AVX2) or 16 (AVX-512), and what a net needs of them: draws and Eq 1.

   Additions, multiplications and divisions each round once, as in fastws. The one fused operation, `fused`, is for
   products with a state, 0 or 1, which are exact: nothing is rounded that would not be without it. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if LANES == 16
#define VECTOR(operation) _mm512_##operation##_ps
#else
#define VECTOR(operation) _mm256_##operation##_ps
#endif
typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));
typedef uint32_t Words __attribute__((vector_size(4 * LANES)));

INLINE Floats load(const float *from) { return VECTOR(loadu)(from); }
INLINE void store(float *to, Floats x) { VECTOR(storeu)(to, x); }
INLINE Floats spread(float x) { return VECTOR(set1)(x); }
INLINE Floats least(Floats a, Floats b) { return VECTOR(min)(a, b); }
INLINE Floats greatest(Floats a, Floats b) { return VECTOR(max)(a, b); }
INLINE Floats fused(Floats state, Floats b, Floats c) { return VECTOR(fmadd)(state, b, c); }

/* x[places] of each lane */
INLINE Floats permuted(Floats x, Integers places) {
#if LANES == 16
    return _mm512_permutexvar_ps((__m512i)places, x);
#else
    return _mm256_permutevar8x32_ps(x, (__m256i)places);
#endif
}

/* 1 where a > t, else 0 */
INLINE Floats exceeds(Floats a, Floats t) {
#if LANES == 16
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, t, _CMP_GT_OQ), spread(1));
#else
    return _mm256_and_ps(_mm256_cmp_ps(a, t, _CMP_GT_OQ), spread(1));
#endif
}

/* a where the state is 1, b where it is 0 */
INLINE Floats choose(Floats state, Floats a, Floats b) {
#if LANES == 16
    return _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(state, spread(0), _CMP_GT_OQ), a);
#else
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(state, spread(0), _CMP_GT_OQ));
#endif
}

/* a bit a lane: where x is above 0 */
INLINE uint32_t bits_on(Floats x) {
#if LANES == 16
    return _mm512_cmp_ps_mask(x, spread(0), _CMP_GT_OQ);
#else
    return _mm256_movemask_ps(_mm256_cmp_ps(x, spread(0), _CMP_GT_OQ));
#endif
}

/* Threefry-4x32 with 12 rounds (Salmon, Moraes, Dror and Shaw, SC11, 2011), of two vectors of counters that take turns,
   since each operation waits for the one before it. */
INLINE Words rotate(Words x, int n) { return x << n | x >> (32 - n); }

#define BOTH for (int i = 0; i < 2; i++)
#define MIX(a, b, c, d, r0, r1)              \
    BOTH x[i][a] += x[i][b], x[i][c] += x[i][d]; \
    BOTH x[i][b] = rotate(x[i][b], r0) ^ x[i][a], x[i][d] = rotate(x[i][d], r1) ^ x[i][c];
#define TWO_ROUNDS(r0, r1, r2, r3) MIX(0, 1, 2, 3, r0, r1) MIX(0, 3, 2, 1, r2, r3)
#define KEY(a, b, c, d, n) BOTH x[i][0] += a, x[i][1] += b, x[i][2] += c, x[i][3] += d + n;

INLINE void threefry(const Words k[4], Words x[2][4]) {
    Words k4 = k[0] ^ k[1] ^ k[2] ^ k[3] ^ 0x1BD11BDA;
    KEY(k[0], k[1], k[2], k[3], 0)
    TWO_ROUNDS(10, 26, 11, 21) TWO_ROUNDS(13, 27, 23, 5)
    KEY(k[1], k[2], k[3], k4, 1)
    TWO_ROUNDS(6, 20, 17, 11) TWO_ROUNDS(25, 10, 18, 20)
    KEY(k[2], k[3], k4, k[0], 2)
    TWO_ROUNDS(10, 26, 11, 21) TWO_ROUNDS(13, 27, 23, 5)
    KEY(k[3], k4, k[0], k[1], 3)
}

/* The value of the counter that a group of 64 draws has at some of its sixteen places. */
INLINE void count(Words x[4], uint64_t group, Words place) {
    x[0] = (Words){0} + (uint32_t)group;
    x[1] = (Words){0} + (uint32_t)(group >> 32);
    x[2] = (Words){0};
    x[3] = place;
}

/* The logistic variate ±log((1 - u) / u): one bit is the sign, 31 are u in (0, 1/2).

   With a = 2^32 u and b = 2^32 (1 - u), b / a = 2^-n m, m near 1, and log m = 2 artanh((m - 1) / (m + 1)). */
INLINE Floats logistic_variate(Words bits) {
    Words sign = bits & 0x80000000;
    Floats a = __builtin_convertvector((Integers)(bits ^ sign), Floats) + spread(0.5f);
    Floats b = spread(0x1p32f) - a;
    Integers n = ((Integers)a - (Integers)b + 0x400000) >> 23;
    a = (Floats)((Integers)a - (n << 23));
    Floats s = (b - a) / (b + a), z = s * s;
    Floats log_m = s * (spread(2) + z * (spread(0.66642082f) + z * spread(0.41764605f)));
    return (Floats)((Words)(log_m - __builtin_convertvector(n, Floats) * spread(0.69314718f)) ^ sign);
}

/* Eq 1 as a quotient: with -a = (n + f) log 2 and q = f coth(f log(2) / 2), exp(-a) = 2^n (q + f) / (q - f). */
INLINE void logistic_parts(Floats a, Floats *off, Floats *on) {
    a = least(greatest(a, spread(-87)), spread(87)) * spread(-1.44269504f);
    Floats n = a + spread(12582912), f = a - (n - spread(12582912));
    Floats q = spread(2.8854074f) + f * f * spread(0.11523846f);
    *on = q - f;
    *off = (Floats)((Integers)(q + f) + ((Integers)n << 23));
}

/* ε (s - p) of the delta rule: s - p is off / (off + on) where the state is 1, and -on / (off + on) where it is 0. */
INLINE Floats delta_of(Floats a, Floats state, Floats rate) {
    Floats off, on;
    logistic_parts(a, &off, &on);
    return choose(state, off, -on) * rate / (off + on);
}
