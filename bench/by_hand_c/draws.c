/* Draws of one machine, in the widest vectors there are, whatever its layers are worked on in. */
#include "vectors.h"

void draw(const uint32_t *key, uint64_t group, int n_draws, float *thresholds) {
    Words k[4], lanes, x[2][4];
    for (int w = 0; w < 4; w++) k[w] = (Words){0} + key[w];
    for (int i = 0; i < LANES; i++) lanes[i] = i;
    for (int first = 0; first < n_draws / 4; first += 2 * LANES) {
        BOTH count(x[i], group + (first + i * LANES) / 16, lanes + (first + i * LANES) % 16);
        threefry(k, x);
        BOTH for (int w = 0; w < 4; w++) {
            int place = first + i * LANES;
            store(thresholds + place / 16 * 64 + 16 * w + place % 16, logistic_variate(x[i][w]));
        }
    }
}
