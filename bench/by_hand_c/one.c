/* Wake-sleep for one machine in vector C by hand: as near to the limit as we know how to come, not a part of fastws. */
typedef float State;
enum { AHEAD = 4096 };
#include "loop.h"

enum { IN_REGISTERS = 8, WIDE = 64 };
#define PADDED(n) (((n) + LANES - 1) / LANES * LANES)

static int active[WIDEST + LANES], n_active;

INLINE int is_wide(int m, int n) { return m >= WIDE && n >= WIDE; }

/* list the units that are on, of a wide layer */
static void list_active(const float *driving, int m) {
    n_active = 0;
    for (int first = 0; first < m; first += LANES) {
        uint32_t bits = bits_on(load(driving + first));
        if (m - first < LANES) bits &= (1u << (m - first)) - 1;
        for (; bits; bits &= bits - 1) active[n_active++] = first + __builtin_ctz(bits);
    }
}

/* b_v + sum_u s_u w_uv (Eq 1) for `many` vectors of units v. Row 0 of the weights has the biases. */
INLINE void logits(const float *weights, const float *driving, int m, int n, int many, Floats a[]) {
    const int sums = many == 1 ? 4 : many <= 4 ? 2 : 1, row = PADDED(n);
    for (int j = 0; j < many; j++) a[j] = load(weights + j * LANES);
    if (is_wide(m, n)) {
        for (int k = 0; k < n_active; k++) {
            const float *w = weights + (1 + active[k]) * (long)row;
#pragma GCC unroll 8
            for (int j = 0; j < many; j++) a[j] += load(w + j * LANES);
        }
        return;
    }
#pragma GCC unroll 8
    for (int j = many; j < many * sums; j++) a[j] = spread(0);
#pragma GCC unroll 16
    for (int u = 0; u < m; u++) {
        Floats s = spread(driving[u]);
#pragma GCC unroll 8
        for (int j = 0; j < many; j++) {
            Floats *sum = &a[u % sums * many + j];
            *sum = fused(s, load(weights + (1 + u) * row + j * LANES), *sum);
        }
    }
    if (sums == 4) a[0] = (a[0] + a[1]) + (a[2] + a[3]);
    if (sums == 2)
        for (int j = 0; j < many; j++) a[j] += a[many + j];
}

/* Draw the states of some driven units (Eq 1). */
INLINE void sample_units(const float *weights, const float *driving, int m, float *driven, int n, const float *draws,
                         int many) {
    Floats a[4 * IN_REGISTERS];
    logits(weights, driving, m, n, many, a);
#pragma GCC unroll 8
    for (int j = 0; j < many; j++) store(driven + j * LANES, exceeds(a[j], load(draws + j * LANES)));
}

/* The delta rule for some driven units: Δw_uv = ε s_u (s_v - p_v) (Eqs 4 and 7). */
INLINE void learn_units(float *weights, const float *driving, int m, const float *driven, int n, float rate, int clipped,
                        int many) {
    const int row = PADDED(n);
    Floats a[4 * IN_REGISTERS];
    logits(weights, driving, m, n, many, a);
#pragma GCC unroll 8
    for (int j = 0; j < many; j++) {
        a[j] = delta_of(a[j], load(driven + j * LANES), spread(rate));
        store(weights + j * LANES, load(weights + j * LANES) + a[j]);
    }
    const int wide = is_wide(m, n), rows = wide ? n_active : m;
#pragma GCC unroll 16
    for (int k = 0; k < rows; k++) {
        float *w = weights + (1 + (wide ? active[k] : k)) * (long)row;
#pragma GCC unroll 8
        for (int j = 0; j < many; j++) {
            Floats now = load(w + j * LANES);
            if (wide) now += a[j];
            else now = fused(spread(driving[k]), a[j], now);
            store(w + j * LANES, clipped ? greatest(now, spread(0)) : now);
        }
    }
}

/* Do as many units at once as have room in registers: whole vectors, those after the last unit are nobody's. */
#define ALL_UNITS(some_units)                                                        \
    {                                                                                \
        const int at_once = is_wide(m, n) ? IN_REGISTERS : IN_REGISTERS / 2;         \
        const int vectors = PADDED(n) / LANES, rest = vectors % at_once;             \
        if (is_wide(m, n)) list_active(driving, m);                                  \
        int v = 0;                                                                   \
        for (; v < n / LANES / at_once * at_once * LANES; v += at_once * LANES) some_units(at_once); \
        if (rest) some_units(rest);                                                  \
    }

INLINE void sample(const float *weights, const float *driving, int m, float *driven, int n, const float *draws) {
#define SOME_UNITS(many) sample_units(weights + v, driving, m, driven + v, n, draws + v, many)
    ALL_UNITS(SOME_UNITS)
#undef SOME_UNITS
}

INLINE void learn(float *weights, const float *driving, int m, const float *driven, int n, float rate, int clipped) {
#define SOME_UNITS(many) learn_units(weights + v, driving, m, driven + v, n, rate, clipped, many)
    ALL_UNITS(SOME_UNITS)
#undef SOME_UNITS
}

/* A group has four words at each of sixteen places. */
static void draw(const uint32_t *key, uint64_t group) {
    Words k[4], place;
    for (int i = 0; i < 4; i++) k[i] = (Words){0} + key[i];
    for (int i = 0; i < LANES; i++) place[i] = i;
    for (int first = 0; first < DRAWS; first += GROUP, group++)
        for (int p = 0; p < 16; p += LANES) {
            Words x[4] = {(Words){0} + (uint32_t)group, (Words){0} + (uint32_t)(group >> 32), {0}, place + p};
            threefry(k, x);
            for (int w = 0; w < 4; w++) store(thresholds + first + 16 * w + p, logistic_variate(x[w]));
        }
}

INLINE void draw_bars(float *input, const float *draws, float vertical, float there) {
    float on[BARS + 1];
    for (int k = 0; k < BARS; k++) on[k] = draws[1 + k] < there;
    for (int i = 0; i < BARS; i++)
        for (int j = 0; j < BARS; j++) input[i * BARS + j] = draws[0] < vertical ? on[j] : on[i];
}

INLINE void take_image(float *input, const uint8_t *image) {
    for (int i = 0; i < INPUTS; i++) input[i] = image[i];
}
