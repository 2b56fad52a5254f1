""" "Figures for slides": exports what a page shows as a file."""
