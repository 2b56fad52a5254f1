"""Bounds on untrusted input: how large files, texts and archives may be, and readers that enforce it."""
