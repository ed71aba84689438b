"""See the module names: each file holds one noun."""
