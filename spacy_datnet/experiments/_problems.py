"""What is wrong with a grid or a manifest."""


class ExperimentError(ValueError):
    """A mistake in a file of an experiment, with a message for its author."""
