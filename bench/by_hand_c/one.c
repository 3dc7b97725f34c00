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
    const int sums = many == 1 ? 8 : 4, row = PADDED(n);
    for (int j = 0; j < many; j++) a[j] = load(weights + j * LANES);
    if (is_wide(m, n)) {
        for (int k = 0; k < n_active; k++) {
            const float *w = weights + (1 + active[k]) * (long)row;
#pragma GCC unroll 8
            for (int j = 0; j < many; j++) a[j] += load(w + j * LANES);
        }
        return;
    }
#pragma GCC unroll 16
    for (int u = 0; u < m; u++) {
        Floats s = spread(driving[u]);
#pragma GCC unroll 8
        for (int j = 0; j < many; j++) {
            const float *w = weights + (1 + u) * row + j * LANES;
            Floats *sum = &a[u % sums * many + j];
            *sum = u > 0 && u < sums ? s * load(w) : fused(s, load(w), *sum);
        }
    }
#pragma GCC unroll 4
    for (int half = sums / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int i = 0; i < half; i++)
#pragma GCC unroll 8
            for (int j = 0; j < many; j++)
                if (half + i < m) a[i * many + j] += a[(half + i) * many + j];
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

/* Which bar pixels are of, in horizontal and in vertical images; no branch that nobody could foresee. */
INLINE void draw_bars(float *input, const float *draws, float vertical, float there) {
    static Integers bar[2][PADDED(INPUTS) / LANES];
    if (!bar[1][0][1])
        for (int i = 0; i < BARS; i++)
            for (int j = 0; j < BARS; j++) {
                int pixel = i * BARS + j;
                bar[0][pixel / LANES][pixel % LANES] = i;
                bar[1][pixel / LANES][pixel % LANES] = j;
            }
    Floats bars = load(draws + 1);
    const Integers *bar_of = bar[draws[0] < vertical];
    for (int k = 0; k < PADDED(INPUTS) / LANES; k++)
        store(input + k * LANES, exceeds(spread(there), permuted(bars, bar_of[k])));
}

INLINE void take_image(float *input, const uint8_t *image) {
    for (int i = 0; i < INPUTS; i++) input[i] = image[i];
}
