"""Facts and sentences derived from a trace: narration, records, sharing of blocks, and memory pressure."""
