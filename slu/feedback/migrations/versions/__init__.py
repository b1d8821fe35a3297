"""One module per revision, each applied once to every database, in order."""
