"""Plotly figures drawn by matplotlib as SVG, PNG or PDF."""
