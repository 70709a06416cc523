"""Train a classifier: settings, the loop, checkpoints, and what a run leaves behind."""

from convbook.train.config import TrainConfig
from convbook.train.evaluation import evaluate, predict
from convbook.train.fitting import Run, fit

__all__ = ["Run", "TrainConfig", "evaluate", "fit", "predict"]
