"""The docker runtime."""

from shipway.runtimes.docker.runtime import Docker
from shipway.runtimes.docker.settings import DockerSettings, Login, Logs, RoleSettings

__all__ = ["Docker", "DockerSettings", "Login", "Logs", "RoleSettings"]
