"""Plotly figures, built by pure functions from traces and measurements."""
