"""deploy.yml in; a typed model, or errors with file and line, out."""
