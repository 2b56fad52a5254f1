"""The page "Block table"."""
