"""Where utterances come from: manifests, readers of other tables, menus and synthesis, splits."""
