"""What changed on a host since the last run: what stood there then, what stands there now, and what that means."""
