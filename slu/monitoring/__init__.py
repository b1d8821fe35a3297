"""How a recogniser does at work: its request log and the corrections, beside what it was trained on."""
