"""Paged memory (vLLM V1): blocks on demand behind a block table."""
