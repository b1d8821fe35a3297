"""From a menu's sentences and frame posteriors to answers."""
