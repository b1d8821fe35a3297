"""Questions that take many fits: leave-one-speaker-out, learning curves."""
