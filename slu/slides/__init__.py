"""An evaluation told in slides: every figure and number comes from the files of that run."""
