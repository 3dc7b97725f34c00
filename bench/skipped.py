"""What is raised where something cannot be measured."""


class Skipped(Exception):
    """Something that the measurement needs is not here; the text says what."""
