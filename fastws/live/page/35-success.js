// Runs that succeeded, of runs, for each value of a setting alone: examples/success-rates.csv, which a test compares.
const SUCCESS = {
  p_vertical: [[0.5, 7, 64], [0.55, 8, 64], [0.6, 16, 64], [0.6666666666666666, 38, 64], [0.75, 49, 64], [0.85, 49, 64]],
  p_bar: [[0.1, 14, 64], [0.15, 29, 64], [0.2, 38, 64], [0.25, 48, 64], [0.3, 19, 64], [0.4, 0, 64], [0.5, 0, 64]],
  first_hidden_bias: [[-7.0, 3, 64], [-6.0, 10, 64], [-5.0, 28, 64], [-4.0, 42, 64], [-3.0, 38, 64], [-2.0, 10, 64], [-1.0, 0, 64]],
  hidden: [[7, 0, 64], [8, 38, 64], [9, 35, 64], [10, 44, 64], [12, 42, 64]],
  nonnegative: [[true, 38, 64], [false, 0, 64]],
};
