"""Memory systems from a file or a package of somebody else: base classes, loading, and the check of every answer."""
