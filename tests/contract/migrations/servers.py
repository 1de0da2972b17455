"""A database of its own for a project, on whichever server."""

import psycopg
import pymysql

from tests.contract.migrations.django_project import DjangoProject

MYSQL = """
import pymysql
pymysql.version_info = (2, 2, 1, "final", 0)
pymysql.install_as_MySQLdb()
"""


def give_database(project: DjangoProject, vendor: str, name: str, socket: str) -> None:
    """Make the database `name` and let the project use it. SQLite needs none."""
    if vendor == "sqlite":
        return
    if vendor == "postgresql":
        with psycopg.connect(host=socket, user="postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        where = {"ENGINE": "django.db.backends.postgresql", "NAME": name, "HOST": socket, "USER": "postgres"}
    else:
        with pymysql.connect(unix_socket=socket, user="root") as admin, admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        where = {"ENGINE": "django.db.backends.mysql", "NAME": name, "HOST": socket, "USER": "root"}
    project.settings(f"{MYSQL if vendor == 'mariadb' else ''}\nDATABASES = {{'default': {where!r}}}\n")
