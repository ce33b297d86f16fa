"""Faulty variants of measures of rounds."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from museum.variant import A_SLIP, Planted, Variant

from kavg.engine.measures.learner_readings import LearnerReadings
from kavg.engine.measures.round_measures import RoundMeasures
from kavg.measures.sharpness import PlannedSharpness


def memory_begun_anew() -> Planted:
    return patch.object(RoundMeasures, "load", lambda self, memory: None)


def largest_size() -> Planted:
    iterate = PlannedSharpness.iterate

    def faulty(self, now, memory):
        nothing = np.zeros(len(now.w))
        return iterate(self, now.w, nothing, nothing == 0)[1][None]

    return patch.object(PlannedSharpness, "measure", faulty)


def spread_about_the_start() -> Planted:
    read = LearnerReadings.read_displacements

    def faulty(self, n, mean, fold_again):
        read(self, n, np.zeros_like(mean), fold_again)

    return patch.object(LearnerReadings, "read_displacements", faulty)


MEASURE_VARIANTS = (
    Variant(
        "average begun anew",
        "what a measure remembers is not continued by a run that is resumed",
        "ultralytics/yolov5#310",
        memory_begun_anew,
    ),
    Variant(
        "eigenvalue of largest size",
        "plain power iteration: at a saddle the sharpness is the negative eigenvalue",
        "PyHessian, eigenvalues",
        largest_size,
    ),
    Variant(
        "spread about the start",
        "learners are counted from where they began, and not from their mean",
        A_SLIP,
        spread_about_the_start,
    ),
)
