"""Wake and sleep, live: the page that teaches the algorithm, and what answers it."""
