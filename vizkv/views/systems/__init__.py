"""What the views say of each kind of memory system."""
