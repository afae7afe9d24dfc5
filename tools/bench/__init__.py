"""What `./dev bench` measures, one module per measurement."""
