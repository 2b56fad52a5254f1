"""Plotly figures on a page."""
