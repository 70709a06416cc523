"""What the chapters train, one module for what each shows."""
