"""The connection contract between a platform and its developers' machines, and how text from outside is taken."""
