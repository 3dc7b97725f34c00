/* Wake-sleep for one machine in vector C by hand: as near to the limit as we know how to come, not a part of fastws. */
typedef float State;
enum { AHEAD = 4096 };
#include "loop.h"

enum { MANY = 64, MOST_VECTORS = 8, MOST_SUMS = 8 };
#define PADDED(n) (((n) + LANES - 1) / LANES * LANES)

/* The units of a layer of many that are on: the rows of the others are not read. */
static int active[WIDEST + LANES], n_active;

INLINE int are_listed(int m) { return m >= MANY; }

static void list_active(const float *driving, int m) {
    n_active = 0;
    for (int first = 0; first < m; first += LANES) {
        uint32_t bits = bits_on(load(driving + first));
        if (m - first < LANES) bits &= (1u << (m - first)) - 1;
        for (; bits; bits &= bits - 1) active[n_active++] = first + __builtin_ctz(bits);
    }
}

/* b_v + sum_u s_u w_uv (Eq 1) for `many` vectors of units v, in sums side by side, since each addition waits for the
   one before it. Row 0 of the weights has the biases. */
INLINE void logits(const float *weights, const float *driving, int m, int n, int many, Floats a[]) {
    const int sums = are_listed(m) ? (many > 4 ? 1 : 2) : many == 1 ? 8 : 4;
    const long row = PADDED(n);
    const float *w = weights + row;
    for (int j = 0; j < many; j++) a[j] = load(weights + j * LANES);
    if (are_listed(m)) {
        int k = 0;
        for (int j = many; j < many * sums; j++) a[j] = spread(0);
        for (; k + sums <= n_active; k += sums)
#pragma GCC unroll 8
            for (int j = 0; j < many * sums; j++) a[j] += load(w + active[k + j / many] * row + j % many * LANES);
        for (; k < n_active; k++)
#pragma GCC unroll 8
            for (int j = 0; j < many; j++) a[j] += load(w + active[k] * row + j * LANES);
    } else {
#pragma GCC unroll 64
        for (int u = 0; u < m; u++)
#pragma GCC unroll 8
            for (int j = 0; j < many; j++) {
                Floats s = spread(driving[u]), weight = load(w + u * row + j * LANES), *sum = &a[u % sums * many + j];
                *sum = 0 < u && u < sums ? s * weight : fused(s, weight, *sum);
            }
    }
#pragma GCC unroll 4
    for (int half = sums / 2; half > 0; half /= 2)
#pragma GCC unroll 32
        for (int j = 0; j < half * many; j++)
            if (are_listed(m) || half + j / many < m) a[j] += a[half * many + j];
}

/* Draw the states of some driven units (Eq 1). */
INLINE void sample_units(const float *weights, const float *driving, int m, float *driven, int n, const float *draws,
                         int many) {
    Floats a[MOST_SUMS * MOST_VECTORS];
    logits(weights, driving, m, n, many, a);
#pragma GCC unroll 8
    for (int j = 0; j < many; j++) store(driven + j * LANES, exceeds(a[j], load(draws + j * LANES)));
}

/* The delta rule for some driven units: Δw_uv = ε s_u (s_v - p_v) (Eqs 4 and 7). */
INLINE void learn_units(float *weights, const float *driving, int m, const float *driven, int n, float rate,
                        int clipped, int many) {
    Floats a[MOST_SUMS * MOST_VECTORS];
    logits(weights, driving, m, n, many, a);
#pragma GCC unroll 8
    for (int j = 0; j < many; j++) {
        a[j] = delta_of(a[j], load(driven + j * LANES), spread(rate));
        store(weights + j * LANES, load(weights + j * LANES) + a[j]);
    }
    const int listed = are_listed(m), rows = listed ? n_active : m;
#pragma GCC unroll 16
    for (int k = 0; k < rows; k++) {
        float *w = weights + (1 + (listed ? active[k] : k)) * (long)PADDED(n);
#pragma GCC unroll 8
        for (int j = 0; j < many; j++) {
            Floats now = load(w + j * LANES);
            now = listed ? now + a[j] : fused(spread(driving[k]), a[j], now);
            store(w + j * LANES, clipped ? greatest(now, spread(0)) : now);
        }
    }
}

/* Do as many units at once as have room in registers; those after the last, up to a whole vector, are nobody's. */
#define FOR_ALL_UNITS(do_units)                                                                       \
    const int at_once = are_listed(m) ? MOST_VECTORS : MOST_VECTORS / 2, vectors = PADDED(n) / LANES; \
    const int rest = vectors % at_once, whole = (vectors - rest) * LANES;                             \
    if (are_listed(m)) list_active(driving, m);                                                       \
    for (int v = 0; v < whole; v += at_once * LANES) do_units(v, at_once);                            \
    if (rest) do_units(whole, rest);

INLINE void sample(const float *weights, const float *driving, int m, float *driven, int n, const float *draws) {
#define SAMPLE(v, many) sample_units(weights + v, driving, m, driven + v, n, draws + v, many)
    FOR_ALL_UNITS(SAMPLE)
}

INLINE void learn(float *weights, const float *driving, int m, const float *driven, int n, float rate, int clipped) {
#define LEARN(v, many) learn_units(weights + v, driving, m, driven + v, n, rate, clipped, many)
    FOR_ALL_UNITS(LEARN)
}

_Static_assert(BARS <= LANES, "the bars of an image are one vector");

/* Which bars pixels are of is looked up: nobody could foresee a branch by the orientation. */
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
