"""Checks of what stands around the servers: names, ports, certificates, and the services that they need."""
