"""The first page, and the panels that other pages share with it."""
