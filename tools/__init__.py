"""What maintainers run, from the root of the repository: never part of a wheel."""
