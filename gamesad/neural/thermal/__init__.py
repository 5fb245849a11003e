"""The next five seconds of every temperature, learnt sensor by sensor in one set of arrays."""

from gamesad.neural.thermal.predictor import HORIZONS, Effort, Prediction, Score, Thermal

__all__ = ["HORIZONS", "Effort", "Prediction", "Score", "Thermal"]
