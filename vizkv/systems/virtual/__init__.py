"""Virtual memory (vAttention): contiguous ranges of addresses, with pages mapped behind them on demand."""
