"""The player on a page: the runs that it shows and its component."""
