"""The measures, on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from models.metrics import (
    average_precision,
    best_threshold,
    caption_scores,
    combined,
    cover,
    expected_calibration_error,
    fit_logistic,
    normalise,
    not_sure_below,
    recall,
    suppress,
    vqa_accuracy,
    word_f1,
)


@pytest.mark.parametrize(
    ("said", "compared"),
    [
        ("A red  car, the DOG!", "red car dog"),
        ("Two", "2"),
        ("none", "0"),
        ("dont know", "don't know"),
        ("3.5 m.", "3.5 m"),
        ("1,000", "1000"),
        ("black/white", "black white"),
        ("t-shirt", "t shirt"),
        ("2.", "2"),
        ("two.", "2"),
        ("x-y/-z", "x y z"),  # the neighbours of a punctuation mark are looked up in the original answer
    ],
)
def test_answers_are_compared_as_vqa_compares_them(said: str, compared: str) -> None:
    assert normalise(said) == compared


def test_vqa_accuracy_counts_people() -> None:
    people = ["red"] * 3 + ["blue"] * 7
    assert vqa_accuracy("Red", people) == pytest.approx((3 * 2 / 3 + 7 * 1) / 10)  # leaving out one of the three leaves two
    assert vqa_accuracy("blue.", people) == 1 and vqa_accuracy("green", people) == 0
    assert vqa_accuracy("the red", ["red"]) == 1


def test_words_right() -> None:
    assert word_f1("The red car!", "red car") == 1 and word_f1("blue car", "red car") == 0.5 and word_f1("", "red") == 0 == word_f1("", "")


def test_captions() -> None:
    truth = [["a red car moves to the left", "red car going left"], ["two dogs run over the grass"], ["a blue ball bounces up and down"]]
    same = caption_scores([texts[0] for texts in truth], truth)
    assert same["BLEU-4"] == pytest.approx(1, abs=1e-6) and same["METEOR, no synonyms"] > 0.99 and same["CIDEr"] > 5
    # Case and punctuation do not count, in what is said and in the references; any reference will do.
    told = ["A red car; moves to the LEFT!", "two dogs run over the grass.", "a blue ball bounces up and down"]
    assert caption_scores(told, [[text.upper() + "?!" for text in texts] for texts in truth]) == pytest.approx(same)
    second = caption_scores(["red car going left", *told[1:]], truth)
    assert second["CIDEr"] > caption_scores(["red car going left", *told[1:]], [truth[0][:1], *truth[1:]])["CIDEr"] + 0.5
    other = caption_scores([truth[1][0], truth[2][0], truth[0][0]], truth)
    assert other["BLEU-4"] < 0.01 and other["CIDEr"] < 0.5 < same["CIDEr"] and other["METEOR, no synonyms"] < 0.4
    stem = caption_scores(["two dog running over the grass"], [truth[1]])  # stems match
    assert stem["METEOR, no synonyms"] > caption_scores(["two cats sleeping over the grass"], [truth[1]])["METEOR, no synonyms"]


def test_recall_counts_any_own_item_and_gives_no_gift_for_ties() -> None:
    similarity = np.array([[0.9, 0.1, 0.5], [0.9, 0.8, 0.1], [0.5, 0.5, 0.5]])
    own = np.array([[True, False, False], [False, True, True], [False, True, False]])
    assert recall(similarity, own, 1) == pytest.approx(1 / 3)
    assert recall(similarity, own, 2) == pytest.approx(2 / 3)
    assert recall(similarity, own, 3) == 1
    assert recall(np.zeros((4, 4)), np.eye(4, dtype=bool), 3) == 0  # a model that gives every item the same score finds nothing


def test_sure_means_right_by_the_wanted_share_or_is_never_said() -> None:
    sure = np.linspace(0.0, 1.0, 101)
    right = (sure >= 0.6).astype(float)
    line = not_sure_below(sure, right, wanted=1.0)
    assert 0.59 < line <= 0.61
    assert not_sure_below(sure, np.zeros(101)) == 1.0


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probability = np.array([0.85] * 10 + [0.25] * 10)
    assert expected_calibration_error(probability, np.array([1.0] * 10 + [0.0] * 10)) == pytest.approx((0.15 + 0.25) / 2)
    # Ten bins: 0.62 and 0.68 are in one, 0.72 in the next.
    assert expected_calibration_error(np.array([0.62, 0.68, 0.72, 1.0]), np.array([1.0, 0, 1, 1])) == pytest.approx((2 * 0.15 + 0.28) / 4)


def test_platt_scaling_finds_the_logistic_that_made_the_labels() -> None:
    rng = np.random.default_rng(3)
    cosine = rng.uniform(-1, 1, 20000)
    right = (rng.uniform(size=20000) < 1 / (1 + np.exp(-(6 * cosine - 2)))).astype(float)
    scale, bias = fit_logistic(cosine, right)
    assert scale == pytest.approx(6, rel=0.1)
    assert bias == pytest.approx(-2, rel=0.1)


def test_the_threshold_with_the_best_f1_separates_what_can_be_separated() -> None:
    assert 0.3 < best_threshold(np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9]), np.array([0, 0, 0, 1, 1, 1], float)) <= 0.7


def test_suppression_keeps_the_best_of_what_overlaps() -> None:
    boxes = np.array([[0.5, 0.5, 0.4, 0.4], [0.52, 0.5, 0.4, 0.4], [0.1, 0.1, 0.1, 0.1]])
    assert suppress(boxes, np.array([0.5, 0.9, 0.2])) == [1, 2]


def test_a_box_covers_cells_by_area() -> None:
    weights = cover(np.array([[0.5, 0.25, 0.5, 0.5], [0.125, 0.125, 0.25, 0.25]]), 2, 4)
    assert weights[0].reshape(2, 4).tolist() == [[0, 0.5, 0.5, 0], [0, 0, 0, 0]]
    assert weights[1].reshape(2, 4).tolist() == [[1, 0, 0, 0], [0, 0, 0, 0]]
    tokens = np.arange(8.0)[:, None]
    assert (weights @ tokens)[0, 0] == 1.5


def test_novel_labels_lean_on_the_encoder() -> None:
    head, encoder = np.array([[0.6, 0.4]]), np.array([[0.2, 0.8]])
    got = combined(head, encoder, np.array([False, True]))
    base, novel = 0.6**0.65 * 0.2**0.35, 0.4**0.35 * 0.8**0.65
    assert got[0] == pytest.approx([base / (base + novel), novel / (base + novel)])


ALL = {"all": [0, 1]}


def test_average_precision_takes_centres_and_sizes_and_wants_label_and_place() -> None:
    truth = [[(0, [0.5, 0.5, 0.2, 0.4])], [(1, [0.3, 0.3, 0.2, 0.2])]]
    exact = [[(label, box, 0.9) for label, box in frame] for frame in truth]
    assert average_precision(truth, exact, ALL)["AP, all"] == pytest.approx(1)
    corner = [[(label, [box[0] + box[2] / 2, box[1] + box[3] / 2, *box[2:]], 0.9) for label, box in frame] for frame in truth]
    assert average_precision(truth, corner, ALL)["AP50, all"] == 0
    # A shift that leaves half of a tall box is small enough upwards; the same shift sideways is too far.
    for dx, dy, right in ((0.0, 0.12, 1.0), (0.12, 0.0, 0.0)):
        moved = [[(0, [0.5 + dx, 0.5 + dy, 0.2, 0.4], 0.9)], []]
        assert average_precision([truth[0], []], moved, {"all": [0]})["AP50, all"] == pytest.approx(right)
    swapped = [[(1 - label, box, 0.9) for label, box in frame] for frame in truth]
    assert average_precision(truth, swapped, ALL)["AP50, all"] == 0


def test_average_precision_keeps_groups_apart_and_ignores_what_was_not_annotated_throughout() -> None:
    truth = [[(0, [0.5, 0.5, 0.2, 0.4]), (1, [0.3, 0.3, 0.2, 0.2])]]
    found = [[(0, [0.5, 0.5, 0.2, 0.4], 0.9), (1, [0.8, 0.8, 0.2, 0.2], 0.8), (1, [0.3, 0.3, 0.2, 0.2], 0.7)]]
    scores = average_precision(truth, found, {"base": [0], "novel": [1], "absent": [2]})
    assert scores["AP50, base"] == pytest.approx(1) and scores["AP50, novel"] == pytest.approx(0.5)
    assert "AP50, absent" not in scores
    assert average_precision(truth, found, {"novel": [1]}, ignore=[[1]])["AP50, novel"] == pytest.approx(1)
    # An ignored label is ignored anywhere in the frame.
    edges = [[(1, [0.1, 0.9, 0.2, 0.1], 0.8), (1, [0.9, 0.1, 0.1, 0.2], 0.8), (1, [0.3, 0.3, 0.2, 0.2], 0.7)]]
    assert average_precision(truth, edges, {"novel": [1]}, ignore=[[1]])["AP50, novel"] == pytest.approx(1)
