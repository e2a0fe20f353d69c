"""Judging one call: what it should give, within which bound, on which inputs."""
