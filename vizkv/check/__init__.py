"""Look for the smallest workload on which somebody's memory system breaks a rule: ``vizkv check``."""
