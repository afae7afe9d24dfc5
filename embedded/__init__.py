"""The local default: a real Kubernetes control plane, KServe and Envoy Gateway on loopback.

Nothing but `tools` and the tests imports this package; the product runs without it.
"""
