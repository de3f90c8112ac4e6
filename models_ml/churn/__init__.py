"""Churn and other propensities: train on a frame, predict calibrated probabilities, say why, watch for drift."""

from models_ml.churn.model import Model, load_model, save_model
from models_ml.churn.train import TrainingReport, train

__all__ = ["Model", "TrainingReport", "load_model", "save_model", "train"]
