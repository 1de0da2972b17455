"""`shipway doctor`: reads a project, asks its servers and what stands around them, and judges by `checks/`."""
