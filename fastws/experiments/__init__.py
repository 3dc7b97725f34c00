"""The two experiments of the paper, and one of its sequel, as functions that return results."""
