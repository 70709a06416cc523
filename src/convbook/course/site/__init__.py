"""What turns the notebooks into the published site: Sphinx extension and notebook tool.

Everything here runs without torch, numpy and matplotlib, because `make book` installs none of them.
"""
