"""A stack as its owner writes it: settings, the stack file, keys, and the labels of its objects."""
