"""HTTP: what every request passes, the operations, and the one format of errors."""
