"""What the scheme of a database's URL means: the tables of dj-database-url 3 and django-environ 0.12 together."""

from __future__ import annotations

_ENGINES = {
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
    "psql": "django.db.backends.postgresql",
    "pgsql": "django.db.backends.postgresql",
    "pgsql2": "django.db.backends.postgresql",
    "timescale": "timescale.db.backends.postgresql",
    "timescalegis": "timescale.db.backends.postgis",
    "postgis": "django.contrib.gis.db.backends.postgis",
    "sqlite": "django.db.backends.sqlite3",
    "spatialite": "django.contrib.gis.db.backends.spatialite",
    "mysql": "django.db.backends.mysql",
    "mysql2": "django.db.backends.mysql",
    "mysqlgis": "django.contrib.gis.db.backends.mysql",
    "oracle": "django.db.backends.oracle",
    "oraclegis": "django.contrib.gis.db.backends.oracle",
    "mssql": "mssql",
    "cockroach": "django_cockroachdb",
    "redshift": "django_redshift_backend",
}


def engine_of_url(url: str) -> str:
    """Return Django's engine for a database URL, "" for a scheme that is not known."""
    scheme = url.partition(":")[0].strip().lower()
    return _ENGINES.get(scheme, "") if ":" in url else ""


def engine_name(engine: str) -> str:
    """Return the short name of an engine: `postgresql`, `sqlite3`, `mysql`, `postgis`, …; "" for "" ."""
    last = engine.rpartition(".")[2].lower()
    for name in ("postgis", "spatialite", "postgresql", "sqlite3", "mysql", "oracle", "mssql"):
        if name in last:
            return name
    for word, name in (
        ("postgres", "postgresql"),
        ("psqlextra", "postgresql"),
        ("sqlite", "sqlite3"),
        ("maria", "mysql"),
    ):
        if word in engine.lower():
            return name
    return last
