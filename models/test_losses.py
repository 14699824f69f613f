import math

import torch
from torch.nn import functional as F

from models import losses


def unit(n: int, d: int = 8) -> torch.Tensor:
    return F.normalize(torch.randn(n, d), dim=1)


def test_info_nce_by_hand() -> None:
    torch.manual_seed(0)
    a, b, scale = unit(4), unit(4), torch.tensor(math.log(5.0))
    s = 5 * a @ b.T
    rows = -sum(float(s[i, i] - s[i].logsumexp(0)) for i in range(4)) / 4
    columns = -sum(float(s[i, i] - s[:, i].logsumexp(0)) for i in range(4)) / 4
    assert abs(float(losses.info_nce(a, b, scale)) - (rows + columns) / 2) < 1e-5


def test_like_texts_are_not_pushed_apart() -> None:
    a = unit(3)
    texts = a.clone()
    texts[1] = texts[0]
    a[1] = a[0]
    same = torch.eye(3, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    scale = torch.tensor(math.log(100.0))
    assert losses.info_nce(a, texts, scale, same) < losses.info_nce(a, texts, scale) + 1e-6
    assert losses.focal_contrastive(a, texts, scale, same) < losses.focal_contrastive(a, texts, scale)


def test_like_texts_share_the_target() -> None:
    torch.manual_seed(4)
    a, b, scale = unit(3), unit(3), torch.tensor(math.log(5.0))
    same = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    rows, columns = (5 * a @ b.T).log_softmax(1), (5 * a @ b.T).log_softmax(0)
    expected = -sum((rows[0, :2].mean() + rows[1, :2].mean() + rows[2, 2], columns[:2, 0].mean() + columns[:2, 1].mean() + columns[2, 2])) / 6
    assert abs(float(losses.info_nce(a, b, scale, same)) - float(expected)) < 1e-5


def test_no_temperature_makes_a_scale_above_a_hundred() -> None:
    torch.manual_seed(5)
    a, b, high, most = unit(3), unit(3), torch.tensor(math.log(900.0)), torch.tensor(math.log(100.0))
    for contrast in (losses.info_nce, losses.focal_contrastive):
        assert torch.allclose(contrast(a, b, high), contrast(a, b, most)) and not torch.allclose(contrast(a, b, most - 0.5), contrast(a, b, most))
    target = torch.tensor([1, 2, 0])
    assert torch.allclose(losses.region_text(a, b, target, high), losses.region_text(a, b, target, most))


def test_focal_contrastive_by_the_formula() -> None:
    torch.manual_seed(1)
    a, b, gamma = unit(3), unit(3), 2.0
    s = 3 * a @ b.T
    expected = 0.0
    for i in range(3):
        for j in range(3):
            p = float(s[i, j].sigmoid()) if i == j else 1 - float(s[i, j].sigmoid())
            expected -= (1 - p) ** gamma * math.log(p)
    assert abs(float(losses.focal_contrastive(a, b, torch.tensor(math.log(3.0)), gamma=gamma)) - 2 * expected / 3) < 1e-5


def test_boxes_are_centre_width_height() -> None:
    box = torch.tensor([0.5, 0.4, 0.2, 0.1])
    assert torch.allclose(losses.corners(box), torch.tensor([0.4, 0.35, 0.6, 0.45]))
    iou, giou = losses.iou_giou(box, torch.tensor([0.6, 0.4, 0.2, 0.1]))  # half of each overlaps: 1/3
    assert abs(float(iou) - 1 / 3) < 1e-5 and abs(float(giou) - 1 / 3) < 1e-5
    iou, giou = losses.iou_giou(torch.tensor([0.1, 0.5, 0.2, 0.2]), torch.tensor([0.9, 0.5, 0.2, 0.2]))
    assert float(iou) == 0 and abs(float(giou) - (-0.6)) < 1e-5  # hull 1.0 x 0.2, union 0.08


def test_every_object_has_a_patch_and_the_far_ones_none() -> None:
    grid = (torch.arange(6) + 0.5) / 6
    anchors = torch.stack([grid.repeat(6), grid.repeat_interleave(6)], dim=1)
    boxes = torch.tensor([[0.25, 0.25, 0.3, 0.3], [0.9, 0.9, 0.04, 0.04]])
    owner = losses.assign(anchors, boxes)
    assert set(owner.tolist()) == {-1, 0, 1}
    assert owner[35] == 1 and owner[7] == 0 and owner[5] == -1
    assert ((anchors[owner == 0] - boxes[0, :2]).abs() <= 0.25).all()
    assert (losses.assign(anchors, boxes[:0]) == -1).all()


def test_patches_are_assigned_by_the_rule_written_out() -> None:
    """Wide and tall boxes that overlap, one so large that its edge is out of reach, and two small ones in one patch."""
    grid = (torch.arange(6) + 0.5) / 6
    anchors = torch.stack([grid.repeat(6), grid.repeat_interleave(6)], dim=1)
    rows = [
        [0.5, 0.3, 0.9, 0.3],
        [0.62, 0.45, 0.3, 0.8],
        [0.47, 0.5, 1.0, 1.0],
        [0.24, 0.73, 0.05, 0.05],
        [0.26, 0.76, 0.03, 0.02],
        [0.9, 0.1, 0.04, 0.2],
    ]
    expected = []
    for x, y in anchors.tolist():
        near = [(math.hypot((x - cx) / w, (y - cy) / h), i) for i, (cx, cy, w, h) in enumerate(rows) if abs(x - cx) <= 0.25 and abs(y - cy) <= 0.25]
        distance, i = min(near, default=(1.0, -1))
        expected.append(i if distance < 0.3 else -1)
    for i in sorted(range(len(rows)), key=lambda i: -rows[i][2] * rows[i][3]):
        nearest = min(range(36), key=lambda at: math.dist(anchors[at].tolist(), rows[i][:2]))
        expected[nearest] = i
    assert losses.assign(anchors, torch.tensor(rows)).tolist() == expected
    assert {*expected} == {-1, 0, 1, 2, 4, 5}  # of the two boxes in one patch, the smaller one gets it


def test_objectness_is_least_at_the_quality() -> None:
    quality = torch.tensor([0.0, 0.7])
    at = losses.objectness(torch.logit(torch.tensor([0.001, 0.7])), quality)
    off = losses.objectness(torch.logit(torch.tensor([0.4, 0.3])), quality)
    assert at < 1e-4 < off


def test_region_text_prefers_its_own_label() -> None:
    labels = unit(5)
    good = losses.region_text(labels[[2, 4]], labels, torch.tensor([2, 4]), torch.tensor(3.0))
    bad = losses.region_text(labels[[2, 4]], labels, torch.tensor([4, 2]), torch.tensor(3.0))
    assert good < bad
    assert losses.region_text(labels[:0], labels, torch.zeros(0, dtype=torch.long), torch.tensor(3.0)) == 0


def test_next_token_by_hand() -> None:
    torch.manual_seed(2)
    logits, targets = torch.randn(5, 7), torch.tensor([0, 3, 6, 3, 1])
    expected = -sum(math.log(math.exp(float(row[t])) / sum(math.exp(float(v)) for v in row)) for row, t in zip(logits, targets, strict=True)) / 5
    assert abs(float(losses.next_token(logits, targets)) - expected) < 1e-5


def test_objectness_by_the_formula() -> None:
    """Quality focal loss: |q - p|^2 times the cross-entropy, over the number of positives."""
    logits, quality = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([0.6, 0.0, 0.9])
    expected = 0.0
    for x, q in zip(logits.tolist(), quality.tolist(), strict=True):
        p = 1 / (1 + math.exp(-x))
        expected -= (q - p) ** 2 * (q * math.log(p) + (1 - q) * math.log(1 - p))
    assert abs(float(losses.objectness(logits, quality)) - expected / 2) < 1e-6


def test_box_loss_by_hand() -> None:
    """5 times the L1 distance and 2 times 1 - GIoU, over 2, as a mean over boxes: errors of opposite signs do not cancel."""
    predicted = torch.tensor([[0.5, 0.5, 0.2, 0.2], [0.5, 0.4, 0.2, 0.1]])
    truth = torch.tensor([[0.5, 0.5, 0.2, 0.2], [0.6, 0.3, 0.2, 0.1]])
    union, hull = 2 * 0.02 - 0.0, 0.3 * 0.2  # the second pair touches at an edge
    expected = (2.5 * (0.1 + 0.1) + (1 - (0 - (hull - union) / hull))) / 2
    assert abs(float(losses.boxes(predicted, truth)) - expected) < 1e-5


def test_region_text_by_hand() -> None:
    torch.manual_seed(3)
    regions, labels, target, scale = unit(3), unit(4), torch.tensor([1, 0, 3]), math.log(6.0)
    s = 6 * regions @ labels.T
    expected = -sum(float(s[i, t] - s[i].logsumexp(0)) for i, t in enumerate(target.tolist())) / 3
    assert abs(float(losses.region_text(regions, labels, target, torch.tensor(scale))) - expected) < 1e-5
