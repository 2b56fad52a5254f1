"""The page "What if": Figure 2 while it is computed."""
