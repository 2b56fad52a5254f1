"""What can go wrong with a model, as one sentence for the person who named it."""


class ModelError(ValueError):
    """A model that cannot be loaded or added."""
