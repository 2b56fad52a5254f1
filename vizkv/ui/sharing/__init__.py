"""The page "Sharing"."""
