"""The order of the tutorials and of the gallery."""

# First what is to be learned first; then as the paper goes: its claims, and what is built on them.
ORDER = [
    "first_run.py",
    "your_own_images.py",
    "reading_and_compressing.py",
    "a_rule_of_your_own.py",
    "many_runs.py",
    "plot_one_step.py",
    "plot_two_alternatives.py",
    "plot_explaining_away.py",
    "plot_cheapest_representation.py",
    "plot_early_fantasies.py",
    "plot_negative_weights.py",
    "plot_success_rates.py",
    "plot_other_gradients.py",
    "plot_pca_and_clusters.py",
    "plot_learning_live.py",
    "plot_time_machine.py",
    "plot_digit_units.py",
    "plot_transformer.py",
    "plot_own_stream.py",
    "plot_test_your_own_rule.py",
    "plot_own_rule_learns.py",
]


def in_order(file_name: str) -> tuple[int, str]:
    """Return what a gallery sorts scripts by; those that are not in the list come last."""
    return (ORDER.index(file_name) if file_name in ORDER else len(ORDER), file_name)
