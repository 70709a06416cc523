"""Exercise checkers: one module per chapter, named after it; `runner` runs the cases."""
