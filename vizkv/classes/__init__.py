"""Classes: a compiled show on the app's own server, which many students follow at the same time."""
