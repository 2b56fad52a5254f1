"""What happened in a run: events, the states of a slot, and the trace as columns."""
