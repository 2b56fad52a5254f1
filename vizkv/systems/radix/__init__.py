"""SGLang's RadixAttention: slots, and a tree of token runs whose K and V are kept."""
