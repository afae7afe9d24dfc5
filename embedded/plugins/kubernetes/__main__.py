"""`python -m embedded.plugins.kubernetes`: the stand-in provider, as the engine starts it."""

from embedded.plugins.kubernetes.server import main

main()
