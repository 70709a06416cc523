"""Where a repository on GitHub is published."""


def site_address(owner, name):
    """Return the address at which GitHub Pages publishes the book of a repository.

    >>> site_address("Ada", "engine")
    'https://ada.github.io/engine/'
    """
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
