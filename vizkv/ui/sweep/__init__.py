"""The page "Sweeps"."""
