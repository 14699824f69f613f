"""Constructed heat maps with known boxes: these tests find swapped rows and columns, and edges that are off by a patch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.dense import Floats, dense, pooled, snap

ROWS, COLUMNS = 4, 5


def test_a_box_lies_around_the_patches_that_stand_out() -> None:
    score: Floats = np.zeros((ROWS, COLUMNS, 2), np.float32)
    score[1:3, 3:5, 1] = 0.8
    score[2, 4, 1] = 0.9
    # Away from the others; touches them only at a corner.
    score[0, 2, 1] = 0.7
    found = sorted(((label, box, score) for label, box, score in dense(score, 1.0)), key=lambda one: one[2])
    assert [label for label, _, _ in found] == [1, 1]
    assert [box for _, box, _ in found] == [pytest.approx([0.5, 0.125, 0.2, 0.25]), pytest.approx([0.8, 0.5, 0.4, 0.5])]
    assert [score for _, _, score in found] == pytest.approx([0.7, 0.9])


def test_what_stands_out_is_reckoned_label_by_label() -> None:
    score: Floats = np.zeros((ROWS, COLUMNS, 2), np.float32)
    score[..., 0] = 5.0
    score[3, 0] = (5.5, 0.1)
    found = sorted(dense(score, 2.0))
    assert [label for label, _, _ in found] == [0, 1]
    assert [score for _, _, score in found] == pytest.approx([5.5, 0.1])
    assert [box for _, box, _ in found] == [pytest.approx([0.1, 0.875, 0.2, 0.25])] * 2


def test_true_boxes_snap_to_the_nearest_edges_and_stay_in_the_frame() -> None:
    # Edges at 0.24, 0.56 across and at 0.2, 0.7 down.
    assert snap([0.4, 0.45, 0.32, 0.5], ROWS, COLUMNS) == pytest.approx([0.4, 0.5, 0.4, 0.5])
    assert snap([0.5, 0.5, 0.01, 0.01], ROWS, COLUMNS) == pytest.approx([0.5, 0.625, 0.2, 0.25])
    assert snap([0.99, 0.99, 0.02, 0.02], ROWS, COLUMNS) == pytest.approx([0.9, 0.875, 0.2, 0.25])


def test_tokens_are_pooled_as_the_model_does() -> None:
    torch.manual_seed(4)
    norm, to_text = torch.nn.LayerNorm(6), torch.nn.Linear(6, 3)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    tokens = torch.randn(2, 5, 6)
    parts = torch.nn.ModuleDict({"pool_norm": norm, "to_text": to_text})
    weights: dict[str, Floats] = {f"model.{name}": value.detach().numpy() for name, value in parts.named_parameters()}
    expected = torch.nn.functional.normalize(to_text(norm(tokens)), dim=-1).detach().numpy()
    np.testing.assert_allclose(pooled(tokens.numpy(), weights), expected, atol=1e-6)
