"""What is run: the scenario's schema, its code in a link, presets and hardware sizes."""
