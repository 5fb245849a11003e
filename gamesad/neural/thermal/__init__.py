"""The next five seconds of every temperature, learnt sensor by sensor in one set of arrays."""

from gamesad.neural.thermal.predictor import HORIZONS, Effort, Prediction, Thermal

__all__ = ["HORIZONS", "Effort", "Prediction", "Thermal"]
