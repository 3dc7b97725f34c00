/* Wake-sleep for a net that is known when this is compiled, around what is done with a connection.

   UP lists the connections, the lowest first: CONNECTION(level, lower, upper) with the units of the two layers; DOWN
   lists them the highest first. N_LEVELS, INPUTS and TOP are the layers, the units of the lowest and of the highest,
   WIDEST those of the largest; BARS is the size of the bars images, or 0. `State` is the state of a unit, and AHEAD how
   many draws are made ahead at most: both are of the file that includes this. */
#include "vectors.h"
#include <math.h>

#define CONNECTION(level, lower, upper) +(lower)
enum { AN_INPUT = BARS ? 1 + BARS : 0, AN_EXAMPLE = AN_INPUT + 2 * (TOP UP) - INPUTS };
#undef CONNECTION
enum {
    GROUPS = 2 * 64, /* of draws that are made at once */
    BLOCK = AHEAD / AN_EXAMPLE > 64 ? 64 : AHEAD / AN_EXAMPLE > 0 ? AHEAD / AN_EXAMPLE : 1,
    DRAWS = (BLOCK * AN_EXAMPLE + GROUPS - 1) / GROUPS * GROUPS
};

static State thresholds[DRAWS + LANES] __attribute__((aligned(64)));
static State inputs[BLOCK][(INPUTS + LANES - 1) / LANES * LANES] __attribute__((aligned(64)));
static State states[N_LEVELS + 1][(WIDEST + LANES - 1) / LANES * LANES] __attribute__((aligned(64)));

/* Draw thresholds ahead, beginning with a group of 64. */
void draw(const uint32_t *key, uint64_t group, int n_draws, State *thresholds);
/* Draw an image of bars: a draw for the orientation, and one a bar. Its threshold exceeds that of what happens. */
INLINE void draw_bars(State *input, const State *draws, float vertical, float there);
INLINE void take_image(State *input, const uint8_t *image);
/* Draw the states of the n driven units from those of the m driving ones (Eq 1). */
INLINE void sample(const State *weights, const State *driving, int m, State *driven, int n, const State *draws);
/* Apply the delta rule Δw_uv = ε s_u (s_v - p_v) (Eqs 4 and 7); clipped weights stay at 0 or above. */
INLINE void learn(State *weights, const State *driving, int m, const State *driven, int n, float rate, int clipped);

/* Learn from the next examples, with draws and images from the first on. */
void run(long n_examples, State **generative, State **recognition, const float *rates, int clipped, float p_vertical,
         float p_bar, const uint8_t *images, long n_images, const uint32_t *key) {
    float vertical = logf(p_vertical / (1 - p_vertical)), there = logf(p_bar / (1 - p_bar));
    for (long start = 0; start < n_examples; start += BLOCK) {
        int block = n_examples - start < BLOCK ? n_examples - start : BLOCK;
        draw(key, start / BLOCK * (DRAWS / 64), DRAWS, thresholds);
        for (int i = 0; i < block; i++)
            if (BARS)
                draw_bars(inputs[i], thresholds + i * AN_EXAMPLE, vertical, there);
            else
                take_image(inputs[i], images + (start + i) % n_images * INPUTS);
        for (int i = 0; i < block; i++) {
            const State *t = thresholds + i * AN_EXAMPLE + AN_INPUT;
            State *s[N_LEVELS + 1];
            for (int l = 0; l <= N_LEVELS; l++) s[l] = l ? states[l] : inputs[i];

            /* Awake, recognition draws a representation, and the generative parameters learn. */
#define CONNECTION(l, lower, upper) sample(recognition[l], s[l], lower, s[l + 1], upper, t), t += upper;
            UP
#undef CONNECTION
            learn(generative[N_LEVELS], s[0], 0, s[N_LEVELS], TOP, rates[N_LEVELS], 0);
#define CONNECTION(l, lower, upper) learn(generative[l], s[l + 1], upper, s[l], lower, rates[l], l == 0 && clipped);
            DOWN
#undef CONNECTION

            /* Asleep, the net draws a fantasy, and the recognition parameters learn. */
            sample(generative[N_LEVELS], s[0], 0, s[N_LEVELS], TOP, t), t += TOP;
#define CONNECTION(l, lower, upper) sample(generative[l], s[l + 1], upper, s[l], lower, t), t += lower;
            DOWN
#undef CONNECTION
#define CONNECTION(l, lower, upper) learn(recognition[l], s[l], lower, s[l + 1], upper, rates[l], 0);
            UP
#undef CONNECTION
        }
    }
}
