"""The step loop over all systems of a scenario, with and without a model."""
