"""What an assignment asks of a network, one module for each kind of requirement."""
