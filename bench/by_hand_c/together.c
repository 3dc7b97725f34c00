/* Wake-sleep for machines of one shape, each in a lane of its own, in vector C by hand. */
#include "vectors.h"
typedef float State[LANES] __attribute__((aligned(4 * LANES)));
enum { AHEAD = 1024 };
#include "loop.h"

enum { AT_ONCE = 4 };

/* b_v + sum_u s_u w_uv (Eq 1) for `many` units v. Those of a unit are side by side: its bias, then its weights. */
INLINE void logits(const State *weights, const State *driving, int m, int many, Floats a[]) {
#pragma GCC unroll 8
    for (int j = 0; j < many; j++) a[j] = load(weights[j * (1 + m)]);
#pragma GCC unroll 16
    for (int u = 0; u < m; u++) {
        Floats s = load(driving[u]);
#pragma GCC unroll 8
        for (int j = 0; j < many; j++) a[j] = fused(s, load(weights[j * (1 + m) + 1 + u]), a[j]);
    }
}

/* Draw the states of some driven units (Eq 1). */
INLINE void sample_units(const State *weights, const State *driving, int m, State *driven, const State *draws,
                         int many) {
    Floats a[AT_ONCE];
    logits(weights, driving, m, many, a);
#pragma GCC unroll 8
    for (int j = 0; j < many; j++) store(driven[j], exceeds(a[j], load(draws[j])));
}

/* The delta rule for some driven units: Δw_uv = ε s_u (s_v - p_v) (Eqs 4 and 7). */
INLINE void learn_units(State *weights, const State *driving, int m, const State *driven, float rate, int clipped,
                        int many) {
    Floats a[AT_ONCE];
    logits(weights, driving, m, many, a);
#pragma GCC unroll 8
    for (int j = 0; j < many; j++) {
        a[j] = delta_of(a[j], load(driven[j]), spread(rate));
        store(weights[j * (1 + m)], load(weights[j * (1 + m)]) + a[j]);
    }
#pragma GCC unroll 16
    for (int u = 0; u < m; u++) {
        Floats s = load(driving[u]);
#pragma GCC unroll 8
        for (int j = 0; j < many; j++) {
            Floats now = fused(s, a[j], load(weights[j * (1 + m) + 1 + u]));
            store(weights[j * (1 + m) + 1 + u], clipped ? greatest(now, spread(0)) : now);
        }
    }
}

INLINE void sample(const State *weights, const State *driving, int m, State *driven, int n, const State *draws) {
    int v = 0;
    for (; v < n / AT_ONCE * AT_ONCE; v += AT_ONCE)
        sample_units(weights + v * (1 + m), driving, m, driven + v, draws + v, AT_ONCE);
    if (n % AT_ONCE) sample_units(weights + v * (1 + m), driving, m, driven + v, draws + v, n % AT_ONCE);
}

INLINE void learn(State *weights, const State *driving, int m, const State *driven, int n, float rate, int clipped) {
    int v = 0;
    for (; v < n / AT_ONCE * AT_ONCE; v += AT_ONCE)
        learn_units(weights + v * (1 + m), driving, m, driven + v, rate, clipped, AT_ONCE);
    if (n % AT_ONCE) learn_units(weights + v * (1 + m), driving, m, driven + v, rate, clipped, n % AT_ONCE);
}

/* The keys have a row a word and a column a machine. */
void draw(const uint32_t *keys, uint64_t group, int n_draws, State *thresholds) {
    Words k[4], x[2][4];
    memcpy(k, keys, sizeof k);
    for (int first = 0; first < n_draws; first += 64, group++)
        for (int place = 0; place < 16; place += 2) {
            BOTH count(x[i], group, (Words){0} + place + i);
            threefry(k, x);
            BOTH for (int w = 0; w < 4; w++) store(thresholds[first + 16 * w + place + i], logistic_variate(x[i][w]));
        }
}

INLINE void draw_bars(State *input, const State *draws, float vertical, float there) {
    Floats on[BARS + 1], upright = exceeds(spread(vertical), load(draws[0]));
    for (int k = 0; k < BARS; k++) on[k] = exceeds(spread(there), load(draws[1 + k]));
    for (int i = 0; i < BARS; i++)
        for (int j = 0; j < BARS; j++) store(input[i * BARS + j], choose(upright, on[j], on[i]));
}

INLINE void take_image(State *input, const uint8_t *image) {
    for (int i = 0; i < INPUTS; i++) store(input[i], spread(image[i]));
}
