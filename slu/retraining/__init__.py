"""From corrections to a better recogniser: what is learnt from, and what has to hold before it answers."""
