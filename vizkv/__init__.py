"""vizkv: see where an LLM server's KV-cache memory goes, slot by slot, and how PagedAttention gets it back."""

__version__ = "0.1.0"
