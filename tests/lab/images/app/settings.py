"""A project without a database: there is nothing to migrate."""

SECRET_KEY = "the-key-of-a-test"
INSTALLED_APPS: list[str] = []
DATABASES: dict[str, dict[str, str]] = {}
