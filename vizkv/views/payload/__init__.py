"""The payload of the player in the browser: a packed trace."""
