"""What Shipway knows of Django: static reading of a project, and the probe that is sent into a release."""
