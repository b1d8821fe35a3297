"""Documents that people read: one HTML file with pictures and sound in it, and slides. Knows nothing of speech."""
