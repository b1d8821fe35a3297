"""The stored recogniser, the registry of its versions, and prediction from audio. Never imports Lightning."""

from slu.bundles.bundle import Bundle, load_bundle, save_bundle
from slu.bundles.predictor import Predictor
from slu.inference.prediction import Prediction

__all__ = ["Bundle", "Prediction", "Predictor", "load_bundle", "save_bundle"]
