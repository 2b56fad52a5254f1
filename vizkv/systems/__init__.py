"""The memory systems: who holds which slot, and who may run next."""
