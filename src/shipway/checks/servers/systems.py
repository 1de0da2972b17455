"""Until when systems get security updates, as known on the day of this release: no guess for others."""

from __future__ import annotations

END_OF_LIFE = {
    # https://wiki.debian.org/LTS, https://ubuntu.com/about/release-cycle (standard support)
    ("debian", "10"): "2024-06-30",
    ("debian", "11"): "2026-08-31",
    ("debian", "12"): "2028-06-30",
    ("debian", "13"): "2030-06-30",
    ("ubuntu", "18.04"): "2023-05-31",
    ("ubuntu", "20.04"): "2025-05-31",
    ("ubuntu", "22.04"): "2027-06-01",
    ("ubuntu", "24.04"): "2029-05-31",
}
"""By name and version as /etc/os-release has them: the last day (UTC), as `YYYY-MM-DD`."""
