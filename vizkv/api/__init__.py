"""The public library, as ``import vizkv`` offers it: load a scenario, run it, read, draw and save the run."""
