"""The show: a lecture compiled from its script, as data and files that need no server."""
