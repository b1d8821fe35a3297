"""What is in a data set, what is wrong with it, and what follows for training: measured before anything is trained."""
