"""The losses, each a mean so that their weights do not depend on the batch size."""

from __future__ import annotations

import torch
from torch import Tensor, distributed
from torch.nn import functional as F


def info_nce(clips: Tensor, texts: Tensor, log_scale: Tensor, same: Tensor | None = None) -> Tensor:
    """Softmax contrastive loss in both directions (CLIP). clips, texts [B, E], L2-normalised; scalar.

    same [B, B] bool: texts that are equal. A batch from a small world holds such pairs; they share the target instead of counting as errors."""
    logits = clips @ texts.T * log_scale.exp().clamp(max=100)
    target = torch.eye(len(clips), device=clips.device) if same is None else same.float()
    target = target / target.sum(1, keepdim=True)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target.T / target.T.sum(1, keepdim=True))) / 2


def focal_contrastive(clips: Tensor, texts: Tensor, log_scale: Tensor, same: Tensor | None = None, gamma: float = 1.0) -> Tensor:
    """Sigmoid focal contrastive loss (MaMMUT eq. 2-4): -(1/B) sum_ij (1 - p_ij)^gamma log p_ij, p = sigmoid(s) on the diagonal, else 1 - sigmoid(s).

    Both directions are the same sum, so their sum is twice it. Stable: log p = -softplus(-s) or -softplus(s)."""
    s = clips @ texts.T * log_scale.exp().clamp(max=100)
    positive = torch.eye(len(clips), dtype=torch.bool, device=clips.device) if same is None else same
    log_p = -F.softplus(torch.where(positive, -s, s))
    return -2 * ((1 - log_p.exp()) ** gamma * log_p).sum() / len(clips)


def everywhere(mine: Tensor) -> Tensor:
    """The rows of all processes, in the order of their ranks: [B, ...] -> [W*B, ...]. Only this process's own rows carry a gradient."""
    if not distributed.is_initialized():
        return mine
    parts = [torch.empty_like(mine) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, mine.detach().contiguous())
    parts[distributed.get_rank()] = mine
    return torch.cat(parts)


def next_token(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy. logits [n, vocab], targets [n]: only of the positions that carry a loss."""
    return F.cross_entropy(logits.float(), targets)


def corners(boxes: Tensor) -> Tensor:
    """[..., 4] cx, cy, w, h -> x0, y0, x1, y1."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat((centre - half, centre + half), dim=-1)


def iou_giou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU (arXiv 1902.09630) of boxes that broadcast, [..., 4] cxcywh -> [...]."""
    p, q = corners(a), corners(b)
    inter = (torch.minimum(p[..., 2:], q[..., 2:]) - torch.maximum(p[..., :2], q[..., :2])).clamp(min=0).prod(-1)
    union = a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - inter
    hull = (torch.maximum(p[..., 2:], q[..., 2:]) - torch.minimum(p[..., :2], q[..., :2])).clamp(min=0).prod(-1)
    iou = inter / union.clamp(min=1e-9)
    return iou, iou - (hull - union) / hull.clamp(min=1e-9)


def assign(anchors: Tensor, boxes: Tensor, reach: float = 0.25) -> Tensor:
    """Assigns an object to each patch of one frame: anchors [q, 2] (x, y), boxes [g, 4] cxcywh -> [q], -1 for background.

    Centre-based: a patch belongs to an object when it is in the middle of its box, and each object gets at least the nearest patch.
    Where two objects claim a patch, the nearer centre, measured in box sizes, wins."""
    owner = torch.full((len(anchors),), -1)
    if len(boxes) == 0:
        return owner
    gap = (anchors[:, None] - boxes[None, :, :2]).abs()  # [q, g, 2]
    distance = (gap / boxes[None, :, 2:].clamp(min=1e-3)).pow(2).sum(-1).sqrt()
    distance = distance.masked_fill((gap > reach).any(-1), torch.inf)  # beyond what the head can express
    nearest, index = distance.min(1)
    owner = torch.where(nearest < 0.3, index, owner)
    for g in torch.argsort(boxes[:, 2:].prod(-1), descending=True).tolist():  # smaller objects last: they have the fewest patches
        owner[(anchors - boxes[g, :2]).pow(2).sum(-1).argmin()] = g
    return owner


def objectness(logits: Tensor, quality: Tensor) -> Tensor:
    """Quality focal loss (arXiv 2006.04388): BCE to the IoU of the predicted box, times |quality - p|^2; over the number of positives.

    logits, quality [...]: quality is 0 where there is no object."""
    weight = (quality - logits.sigmoid()).detach().pow(2)
    loss = F.binary_cross_entropy_with_logits(logits, quality, reduction="none") * weight
    return loss.sum() / (quality > 0).sum().clamp(min=1)


def boxes(predicted: Tensor, truth: Tensor) -> Tensor:
    """L1 + generalised IoU (DETR's pair, weights 5 and 2, here over 2), [n, 4] each, cxcywh; scalar."""
    if len(truth) == 0:
        return predicted.sum() * 0
    _, giou = iou_giou(predicted, truth)
    return 2.5 * (predicted - truth).abs().sum(-1).mean() + (1 - giou).mean()


def region_text(regions: Tensor, labels: Tensor, target: Tensor, log_scale: Tensor) -> Tensor:
    """Region-text contrast: regions [n, E] against all label embeddings [K, E] of the batch and its negatives; target [n] in 0..K-1.

    Softmax, because exactly one label is right; sigmoid calibration is fitted afterwards."""
    if len(target) == 0:
        return regions.sum() * 0
    return F.cross_entropy(regions @ labels.T * log_scale.exp().clamp(max=100), target)
