"""Contiguous memory (Orca and its kin): one piece of consecutive slots a request."""
