"""`python -m embedded.plugins.kubernetes`: the stand-in provider, as the engine starts it."""

from embedded.plugins.kubernetes.start import main

main()
