"""The page "Prefix cache"."""
