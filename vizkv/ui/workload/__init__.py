"""The form of a workload."""
