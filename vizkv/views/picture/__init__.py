"""A step of a run as an SVG picture."""
