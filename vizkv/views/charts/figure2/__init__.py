"""The paper's Figure 2 from a run: bars, ticks and the ledger over time."""
