"""One rule per module: a pure function from a graph to violations, never reporting by itself."""
