"""From bytes to a waveform that the front end can trust."""
