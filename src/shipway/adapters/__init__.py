"""Every touch of the world: SSH, local processes, secrets, git, files, clock."""
