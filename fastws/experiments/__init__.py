"""The two experiments of the paper as functions that return results."""
