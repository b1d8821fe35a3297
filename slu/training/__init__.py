"""From a manifest to a trained recogniser: features on disk, the data module, the LightningModule."""
