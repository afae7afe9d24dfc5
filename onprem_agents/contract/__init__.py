"""The connection contract between a platform and its developers' machines."""
