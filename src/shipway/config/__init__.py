"""Configuration: `config/deploy.yml` in, a typed model or every mistake with its file and line out. Reads no files."""
