/* The same work in plain C, written as one would write it: the yardstick of the benchmarks, not a part of fastws.

   float32 parameters, weights[driving][driven], expf, xorshift128+ for the draws. Every product is computed; with
   -DSKIP_SILENT those with the state of a silent unit, which change nothing, are left out. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef SKIP_SILENT
#define TAKES_PART(state) ((state) > 0)
#else
#define TAKES_PART(state) 1
#endif

static uint64_t random_state[2];

static float uniform(void) {
    uint64_t a = random_state[0], b = random_state[1];
    random_state[0] = b;
    a ^= a << 23;
    random_state[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    return ((random_state[1] + b) >> 40) * 0x1p-24f;
}

static float logistic(float a) { return 1.0f / (1.0f + expf(-a)); }

static void logits(const float *weights, const float *biases, const float *driving, int m, int n, float *a) {
    for (int v = 0; v < n; v++) a[v] = biases[v];
    for (int u = 0; u < m; u++)
        if (TAKES_PART(driving[u]))
            for (int v = 0; v < n; v++) a[v] += driving[u] * weights[u * n + v];
}

static void sample(const float *weights, const float *biases, const float *driving, int m, float *driven, int n) {
    logits(weights, biases, driving, m, n, driven);
    for (int v = 0; v < n; v++) driven[v] = uniform() < logistic(driven[v]);
}

static void learn(float *weights, float *biases, const float *driving, int m, const float *driven, int n, float rate,
                  int nonnegative, float *delta) {
    logits(weights, biases, driving, m, n, delta);
    for (int v = 0; v < n; v++) {
        delta[v] = rate * (driven[v] - logistic(delta[v]));
        biases[v] += delta[v];
    }
    for (int u = 0; u < m; u++)
        if (TAKES_PART(driving[u]))
            for (int v = 0; v < n; v++) {
                float w = weights[u * n + v] + driving[u] * delta[v];
                weights[u * n + v] = nonnegative && w < 0 ? 0 : w;
            }
}

/* sizes[0 .. n_levels - 1] are the layers' units and sizes[n_levels] is 0. Level l of the generative stack has
   gen_weights[l] and gen_biases[l], the last one biases only. With n_images = 0 the images are bars of the given size,
   otherwise rows of `images`, each sweep in the same order. */
void run(long n_examples, int n_levels, const int *sizes, float **gen_weights, float **gen_biases, float **rec_weights,
         float **rec_biases, const float *rates, int nonnegative, int bars, float p_vertical, float p_bar,
         const uint8_t *images, long n_images, uint64_t seed) {
    float *states[16], *delta, *on = malloc(sizeof(float) * (bars + 1));
    int widest = 1;
    random_state[0] = seed * 0x9E3779B97F4A7C15u + 1;
    random_state[1] = ~seed * 0xBF58476D1CE4E5B9u + 7;
    for (int i = 0; i < 20; i++) uniform();
    for (int l = 0; l <= n_levels; l++) {
        states[l] = calloc(sizes[l] + 1, sizeof(float));
        if (sizes[l] > widest) widest = sizes[l];
    }
    delta = malloc(sizeof(float) * widest);
    for (long example = 0; example < n_examples; example++) {
        if (n_images) {
            for (int i = 0; i < sizes[0]; i++) states[0][i] = images[example % n_images * sizes[0] + i];
        } else {
            int vertical = uniform() < p_vertical;
            for (int k = 0; k < bars; k++) on[k] = uniform() < p_bar;
            for (int i = 0; i < bars; i++)
                for (int j = 0; j < bars; j++) states[0][i * bars + j] = on[vertical ? j : i];
        }
        for (int l = 0; l < n_levels - 1; l++)
            sample(rec_weights[l], rec_biases[l], states[l], sizes[l], states[l + 1], sizes[l + 1]);
        for (int l = 0; l < n_levels; l++)
            learn(gen_weights[l], gen_biases[l], states[l + 1], sizes[l + 1], states[l], sizes[l], rates[l],
                  nonnegative && l == 0, delta);
        for (int l = n_levels - 1; l >= 0; l--)
            sample(gen_weights[l], gen_biases[l], states[l + 1], sizes[l + 1], states[l], sizes[l]);
        for (int l = 0; l < n_levels - 1; l++)
            learn(rec_weights[l], rec_biases[l], states[l], sizes[l], states[l + 1], sizes[l + 1], rates[l], 0, delta);
    }
    for (int l = 0; l <= n_levels; l++) free(states[l]);
    free(delta);
    free(on);
}
