"""What a memory raises."""


class OutOfMemory(Exception):
    """Asked for more than there is. Whoever allocates asks ``can_allocate`` first; nothing has changed."""
