"""The measures of evaluate.py, on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluate import average_precision, best_threshold, expected_calibration_error, fit_logistic, normalise, not_sure_below


def test_answers_are_compared_without_case_punctuation_and_articles() -> None:
    assert normalise("A red  car, the DOG!") == "red car dog"


def test_sure_means_right_by_the_wanted_share_or_is_never_said() -> None:
    sure = np.linspace(0.0, 1.0, 101)
    right = (sure >= 0.6).astype(float)
    line = not_sure_below(sure, right, wanted=1.0)
    assert 0.59 < line <= 0.61
    assert not_sure_below(sure, np.zeros(101)) == 1.0


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probability = np.array([0.85] * 10 + [0.25] * 10)
    assert expected_calibration_error(probability, np.array([1.0] * 10 + [0.0] * 10)) == pytest.approx((0.15 + 0.25) / 2)


def test_platt_scaling_finds_the_logistic_that_made_the_labels() -> None:
    rng = np.random.default_rng(3)
    cosine = rng.uniform(-1, 1, 20000)
    right = (rng.uniform(size=20000) < 1 / (1 + np.exp(-(6 * cosine - 2)))).astype(float)
    scale, bias = fit_logistic(cosine, right)
    assert scale == pytest.approx(6, rel=0.1)
    assert bias == pytest.approx(-2, rel=0.1)


def test_the_threshold_with_the_best_f1_separates_what_can_be_separated() -> None:
    assert 0.3 < best_threshold(np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9]), np.array([0, 0, 0, 1, 1, 1], float)) <= 0.7


def test_average_precision_takes_centres_and_sizes_and_wants_label_and_place() -> None:
    truth = [[(0, [0.5, 0.5, 0.2, 0.4])], [(1, [0.3, 0.3, 0.2, 0.2])]]
    exact = [[(label, box, 0.9) for label, box in frame] for frame in truth]
    assert average_precision(truth, exact, 2)["AP"] == pytest.approx(1)
    corner = [[(label, [box[0] + box[2] / 2, box[1] + box[3] / 2, *box[2:]], 0.9) for label, box in frame] for frame in truth]
    assert average_precision(truth, corner, 2)["AP50"] == 0
    swapped = [[(1 - label, box, 0.9) for label, box in frame] for frame in truth]
    assert average_precision(truth, swapped, 2)["AP50"] == 0
