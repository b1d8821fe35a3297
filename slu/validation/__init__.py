"""Which recordings and rows can be trained on: everything that is wrong, by file and line, with what cures it."""
