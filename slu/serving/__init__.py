"""The recogniser over HTTP: a LitServe server, its guard against bad and many requests, and the page."""
