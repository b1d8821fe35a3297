"""From a waveform to a `Prediction`, in numpy: what training, evaluation and a server share, and a server does without
torch."""
