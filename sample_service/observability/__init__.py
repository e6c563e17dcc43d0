"""What operators see: probes, metrics, logs and trace ids."""
