"""The files of a bundle; see `slu.bundles.bundle` for what is in them."""

WEIGHTS, SPEC, CONFIG, METRICS = "model.safetensors", "spec.json", "config.yaml", "metrics.json"
TRAINING, CARD, ONNX = "training.json", "model_card.md", "model.onnx"
REFERENCE = "reference.json"
