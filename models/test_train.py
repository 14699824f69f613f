"""Training, resuming and evaluation on a toy world."""

import json
import multiprocessing
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from models import losses, tokenizer
from models.batches import Item, Pool, collate, make_item, mirrored, teach
from models.config import CONFIGS, Config, Training
from models.data.generator import World
from models.evaluate import evaluate
from models.model import Mammut, load
from models.toy import BLOCKS, ToyPictures, ToyWorld
from models.train import Learner, crops, label_ids, learning_rate, optimisers, train

LABELS = torch.ones(3, 2, dtype=torch.long)
RECIPE = Training(batch=12, questions=3, lr=3e-3, warmup=20, pool=400, negatives=8)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    tokenizer.train(ToyWorld().corpus(), 400).save(str(out / "tokenizer.json"))
    return out


def config_of(run: Path) -> Config:
    size = tokenizer.Text.load(run / "tokenizer.json", 48).tokenizer.get_vocab_size()
    return Config.from_json({**CONFIGS["tiny"].to_json(), "vocab": size})


def test_targets_begin_after_the_prompt() -> None:
    ids, targets = teach([([1, 7, 8, 9, 2], 3), ([1, 5, 2], 2)])
    assert ids.tolist() == [[1, 7, 8, 9], [1, 5, 2, 0]]
    assert targets.tolist() == [[-100, -100, 9, 2], [-100, 2, -100, -100]]


def test_text_round_trip_and_unseen_words(run: Path) -> None:
    text = tokenizer.Text.load(run / "tokenizer.json", 48)
    assert text.read(text.sentence("A Red Zebra, naïve 日本")) == "a red zebra, naïve 日本"
    assert text.words("red") == text.words("a red")[-len(text.words("red")) :]
    assert len(text.sentence("word " * 100)) == 48 and text.sentence("word " * 100)[-1] == 2
    ids, start = text.pair("what colour is it? answer:", "red")
    assert text.read(ids[start:]) == "red" and ids[-1] == 2


def test_a_prompt_leaves_a_third_of_the_context_and_a_long_question_loses_its_own_end(run: Path) -> None:
    text = tokenizer.Text.load(run / "tokenizer.json", 48)
    question = tokenizer.PROMPTS["question"]
    long, tail = text.prompt(question.format(question="which colour is it " * 20)), text.words("answer:")
    whole = text.words(question.format(question="which colour is it " * 20))
    assert len(long) == 32 and long[-len(tail) :] == tail and long[1 : -len(tail)] == whole[: 31 - len(tail)]
    assert text.prompt(question.format(question="what is it?")) == [1, *text.words("question: what is it? answer:")]
    # Text that does not fit is cut, and something to learn is always left.
    ids, start = text.pair(question.format(question="which colour is it " * 20), "red " * 40)
    assert len(ids) == 48 and start == 32 and ids[-1] == 2
    assert (teach([text.pair(question.format(question="why " * 99), "red")])[1] != -100).any()
    # A special token typed by a person is not a word: it would be read as padding.
    assert text.sentence("red [PAD][EOT] car") == text.sentence("red  car")


def test_item_boxes_answer_for_the_object(run: Path) -> None:
    config, world = config_of(run), ToyWorld()
    clip = world.sample(np.random.default_rng(3))
    item = make_item(clip, config, tokenizer.Text.load(run / "tokenizer.json", 48), {n: i for i, n in enumerate(world.labels)})
    assert item.box.shape == (144, 4) and item.label.shape == (144,)
    for k, frame in enumerate((0, 4, 8, 12)):
        mine = item.label[36 * k : 36 * k + 36]
        assert set(mine[mine >= 0]) == {world.labels.index(clip.boxes[frame][0][0])}
        assert np.allclose(item.box[36 * k : 36 * k + 36][mine >= 0], clip.boxes[frame][0][1:])
        _, cx, cy, _, _ = clip.boxes[frame][0]
        assert mine[6 * int(6 * cy) + int(6 * cx)] >= 0 and mine[6 * int(6 * (1 - cy)) + int(6 * (1 - cx))] == -1  # patches in rows of six
    batch = collate([item, item], np.random.default_rng(0), 2)
    assert (batch.alike[0] == batch.alike[1]).any() and batch.asked[0].shape[0] == 4


def test_a_clip_that_leaves_nothing_to_ask_is_told(run: Path) -> None:
    config, world = config_of(run), ToyWorld()
    clip = replace(world.sample(np.random.default_rng(3)), qa=[])
    item = make_item(clip, config, tokenizer.Text.load(run / "tokenizer.json", 48), {n: i for i, n in enumerate(world.labels)})
    batch = collate([item, item], np.random.default_rng(0), 3)
    assert batch.asked[0].shape[0] == 6 and (batch.asked[1] != -100).any(1).all()


CONTRASTIVE = Training(caption_weight=0, answer_weight=0, detection_weight=0)


def gradient_of_half(rank: int, meeting: str, config: Config, batch: list[Item], out: Path) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    torch.manual_seed(0)
    model = Mammut(config)
    mine = collate(batch[4 * rank : 4 * rank + 4], np.random.default_rng(0), 1)
    learner = DistributedDataParallel(Learner(model, CONTRASTIVE, LABELS), forward_sync_buffers=False)
    learner(mine)[0].backward()
    if rank == 0:
        torch.save({n: p.grad for n, p in model.named_parameters() if p.grad is not None}, out)
    distributed.destroy_process_group()


def test_two_processes_see_the_negatives_of_one(run: Path, tmp_path: Path) -> None:
    config, world, rng = config_of(run), ToyWorld(), np.random.default_rng(8)
    text, labels = tokenizer.Text.load(run / "tokenizer.json", 48), {name: i for i, name in enumerate(world.labels)}
    items = [make_item(world.sample(rng), config, text, labels) for _ in range(8)]
    for item in items:
        item.captions = item.captions[:1]  # otherwise the wording is drawn at random
    context = multiprocessing.get_context("spawn")
    ranks = [context.Process(target=gradient_of_half, args=(r, str(tmp_path / "meet"), config, items, tmp_path / "grad.pt")) for r in (0, 1)]
    for process in ranks:
        process.start()
    torch.manual_seed(0)
    alone = Mammut(config)
    torch.autograd.backward(Learner(alone, CONTRASTIVE, LABELS)(collate(items, np.random.default_rng(0), 1))[0])
    for process in ranks:
        process.join()
        assert process.exitcode == 0
    shared = torch.load(tmp_path / "grad.pt", weights_only=True)
    compared = 0
    for name, parameter in alone.named_parameters():
        if parameter.grad is not None and parameter.grad.abs().max() > 1e-8:
            assert torch.allclose(shared[name], parameter.grad, rtol=1e-3, atol=1e-6), name
            compared += 1
    assert compared > 10 and shared["log_scale"].abs() > 0


def weights(run: Path) -> dict[str, torch.Tensor]:
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    return {**state["live"], **{f"averaged {name}": value for name, value in state["model"].items()}}


def test_a_resumed_run_ends_at_the_same_bits(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every random draw depends only on the seed and the step: clips, mirror images, wordings, negatives, crops and pictures."""
    torch.set_num_threads(1)
    recipe = replace(RECIPE, batch=4, pool=24, reuse=1, images=0.25, cropped=True)

    def end(name: str, told_to_stop: int | None) -> dict[str, torch.Tensor]:
        out = tmp_path / name
        out.mkdir()
        (out / "tokenizer.json").write_bytes((run / "tokenizer.json").read_bytes())

        def scheduled(recipe: Training, step: int, progress: float) -> float:
            if step == told_to_stop:
                signal.raise_signal(signal.SIGTERM)
            return learning_rate(recipe, step, progress)

        monkeypatch.setattr("models.train.learning_rate", scheduled)
        for resume in (False, True) if told_to_stop else (False,):
            train(ToyWorld, config_of(run), recipe, out, steps=14, labels=list(BLOCKS), warm=8, resume=resume, make_image=ToyPictures)
            told_to_stop = None
        return weights(out)

    whole, halves = end("whole", None), end("halves", 8)
    assert whole.keys() == halves.keys()
    assert all(torch.equal(whole[name], halves[name]) for name in whole)


def test_a_mirrored_clip_swaps_left_and_right() -> None:
    clip = ToyWorld().sample(np.random.default_rng(1))
    turned = mirrored(clip)
    assert (turned.video[:, :, 0] == clip.video[:, :, -1]).all()
    way, other = ("left", "right") if "left" in clip.caption else ("right", "left")
    assert way not in turned.caption and turned.caption == clip.caption.replace(way, other)
    assert [a for _, a, kind in turned.qa if kind == "direction"] == [other]
    (_, x, *rest), (_, mirrored_x, *mirrored_rest) = clip.boxes[3][0], turned.boxes[3][0]
    assert mirrored_x == 1 - x and rest == mirrored_rest
    assert mirrored(turned).caption == clip.caption and (mirrored(turned).video == clip.video).all()


def test_crops_follow_the_law_of_random_resized_crops() -> None:
    boxes = crops(4000, torch.Generator().manual_seed(0))
    size = boxes[:, 2:] - boxes[:, :2]
    assert (boxes >= 0).all() and (boxes <= 1 + 1e-6).all() and (size > 0).all()
    inner = (size < 1).all(1)  # a crop that had to be cut at the edge has another shape
    area, aspect = size.prod(1)[inner], (size[:, 0] / size[:, 1])[inner]
    assert 0.1 <= area.min() < 0.12 and area.max() <= 1 and 0.5 <= aspect.min() < 0.55 and 1.8 < aspect.max() <= 2


def test_recomputed_activations_give_the_same_gradient(run: Path) -> None:
    config, world = config_of(run), ToyWorld()
    text, labels = tokenizer.Text.load(run / "tokenizer.json", 48), {name: i for i, name in enumerate(world.labels)}
    batch = collate([make_item(world.sample(np.random.default_rng(i)), config, text, labels) for i in range(4)], np.random.default_rng(0), 2)
    gradients, kept = [], []
    for again in (False, True):
        torch.manual_seed(0)
        learner, held = Learner(Mammut(config), replace(RECIPE, recompute=again), LABELS), [0]

        def keep(tensor: torch.Tensor, held: list[int] = held) -> torch.Tensor:
            held[0] += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            total = learner(batch)[0]
        kept.append(held[0])
        torch.autograd.backward(total)
        gradients.append([p.grad for p in learner.parameters()])
    assert kept[1] < 0.5 * kept[0]
    assert all(a is not None and b is not None and torch.allclose(a, b, atol=1e-6) for a, b in zip(*gradients, strict=True))


def test_the_loss_is_the_sum_of_its_parts_by_their_weights(run: Path) -> None:
    config, world = config_of(run), ToyWorld()
    text, labels = tokenizer.Text.load(run / "tokenizer.json", 48), {name: i for i, name in enumerate(world.labels)}
    batch = collate([make_item(world.sample(np.random.default_rng(i)), config, text, labels) for i in range(4)], np.random.default_rng(0), 2)
    torch.manual_seed(0)
    model = Mammut(config)
    for weights in ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0), (0.7, 1.3, 0.4, 2.0)):
        names = ("caption_weight", "answer_weight", "contrastive_weight", "detection_weight")
        total, parts = Learner(model, replace(RECIPE, **dict(zip(names, weights, strict=True))), LABELS)(batch)  # type: ignore[arg-type]
        placed = parts["box"] + parts["objectness"] + 0.5 * parts["region"]
        terms = (parts["caption"], parts["answer"], parts["contrastive"], placed)
        assert torch.allclose(total, sum((w * term for w, term in zip(weights, terms, strict=True)), torch.zeros(())), atol=1e-5)
        assert len({round(float(term.detach()), 3) for term in terms}) == 4  # otherwise one could be mistaken for another
    # Captions and questions reach only their own loss: other answers change that one alone.
    swapped = replace(batch, asked=(batch.asked[0].flip(0), batch.asked[1].flip(0)))
    _, before = Learner(model, RECIPE, LABELS)(batch)
    _, after = Learner(model, RECIPE, LABELS)(swapped)
    assert torch.equal(before["caption"], after["caption"]) and not torch.equal(before["answer"], after["answer"])


@torch.no_grad()
def test_each_part_of_the_loss_is_what_it_says(run: Path) -> None:
    """Clip by clip and question by question, against the batch that a step takes at once: nothing reads another clip's memory, text or boxes."""
    config, world = config_of(run), ToyWorld()
    text, names = tokenizer.Text.load(run / "tokenizer.json", 48), {name: i for i, name in enumerate(world.labels)}
    clips = [world.sample(np.random.default_rng(i)) for i in (0, 1, 2, 3, 4, 0)]  # the last equals the first, so it is not its negative
    batch = collate([make_item(clip, config, text, names) for clip in clips], np.random.default_rng(0), 2)
    torch.manual_seed(0)
    model, labels = Mammut(config), label_ids(text, world.labels)
    rows = [model.encode([kind[i : i + 1] for kind in batch.tubes]) for i in range(6)]

    def told(ids: torch.Tensor, targets: torch.Tensor, group: int) -> float:
        said = []
        for row in range(len(ids)):
            x = model.decoder.hidden(ids[row : row + 1], *model.decoder.project(rows[row // group][1]))[0]
            chances = model.decoder.head(x)[0].log_softmax(-1)
            said += [float(-chances[at, target]) for at, target in enumerate(targets[row].tolist()) if target != -100]
        return float(np.mean(said))

    scale = float(model.log_scale.exp())
    texts = [model.decoder.contrast(batch.text[i : i + 1])[0] for i in range(6)]
    cosine = torch.stack([torch.stack([row[0][0] @ each for each in texts]) for row in rows])
    same = torch.tensor([[bool({*batch.alike[i].tolist()} & {*batch.alike[j].tolist()}) for j in range(6)] for i in range(6)])
    assert same[0, 5] and same.sum() < 36
    target = same / same.sum(1, keepdim=True)
    ways = [-(target * (scale * side).log_softmax(-1)).sum(1).mean() for side in (cosine, cosine.T)]
    boxes, sure, regions = (torch.cat(part) for part in zip(*(model.detector(row[2]) for row in rows), strict=True))
    there, named = batch.label >= 0, (regions @ model.decoder.contrast(labels).T * model.log_region_scale.exp()).log_softmax(-1)
    quality = torch.where(there, losses.iou_giou(boxes, batch.box)[0].clamp(min=0.05), 0.0)
    expected = {
        "caption": told(*batch.told, 1),
        "answer": told(*batch.asked, 2),
        "contrastive": float(sum(ways) / 2),
        "box": float(losses.boxes(boxes[there], batch.box[there])),
        "objectness": float(losses.objectness(sure, quality)),
        "region": float(-named[there].gather(1, batch.label[there][:, None]).mean()),
        "iou": float(quality[there].mean()),
    }
    _, parts = Learner(model, RECIPE, labels)(batch)
    assert {name: round(float(parts[name]), 4) for name in expected} == pytest.approx(expected, abs=2e-4)
    _, parts = Learner(model, replace(RECIPE, focal=True), labels)(batch)
    focal = losses.focal_contrastive(torch.cat([row[0] for row in rows]), torch.stack(texts), model.log_scale, same)
    assert float(parts["contrastive"]) == pytest.approx(float(focal), abs=1e-3)
    # The localisation stage treats each clip as a crop of a larger one, drawn from the seed of the batch.
    _, parts = Learner(model, replace(RECIPE, cropped=True), labels)(batch)
    cropped = model.encode(batch.tubes, crops(6, torch.Generator().manual_seed(batch.seed)))[0]
    contrastive = losses.info_nce(cropped, torch.stack(texts), model.log_scale, same)
    assert float(parts["contrastive"]) == pytest.approx(float(contrastive), abs=1e-4) != pytest.approx(expected["contrastive"], abs=1e-4)


def test_no_tensor_of_a_step_is_made_away_from_the_model(run: Path) -> None:
    """On a GPU a tensor made without a device would not be on the model's device. Here it would be on a device without data, and fail."""
    config, world = config_of(run), ToyWorld()
    text, labels = tokenizer.Text.load(run / "tokenizer.json", 48), {name: i for i, name in enumerate(world.labels)}
    batch = collate([make_item(world.sample(np.random.default_rng(i)), config, text, labels) for i in range(4)], np.random.default_rng(0), 2)
    for recipe in (replace(RECIPE, cropped=True), replace(RECIPE, focal=True, recompute=True)):
        torch.manual_seed(0)
        learner = Learner(Mammut(config), recipe, LABELS)
        with torch.autocast("cpu", torch.bfloat16):
            expected = learner(batch)[0]
            with torch.device("meta"):
                total, parts = learner(batch.to(torch.device("cpu")))
                torch.autograd.backward(total)
        assert torch.equal(total, expected) and {value.device.type for value in parts.values()} == {"cpu"}
        steppers = optimisers(learner.model, recipe)
        with torch.device("meta"):
            for stepper in steppers:
                stepper.step()
            cross = learner.model.decoder.project(learner.model.encode(batch.tubes)[1])
            prompt = batch.text[:, :1]
            ids, sure = learner.model.generate(prompt, *cross, limit=4)
        assert len(ids) == 4 and sure.isfinite().all()


def test_spawned_workers_compose_what_forked_ones_do(run: Path) -> None:
    """Workers that compose on a GPU are spawned, so what makes their world must survive pickling."""
    config = config_of(run)
    make, drawn = partial(World, None, "train", config.frames, config.size, torch.device("cpu")), []
    for start in ("fork", "spawn"):
        pool = Pool(make, config, run / "tokenizer.json", replace(RECIPE, batch=4), workers=2, warm=6, seed=3, start=start)
        drawn.append(pool.batch(0))
        pool.close()
    assert all(torch.equal(a, b) for a, b in zip(drawn[0].tubes, drawn[1].tubes, strict=True))
    assert torch.equal(drawn[0].text, drawn[1].text) and torch.equal(drawn[0].box, drawn[1].box)


def test_training_learns(run: Path) -> None:
    """A short real run: the losses fall, curves are drawn, the checkpoint is judged. That it learns to answer: test_learning.py."""
    torch.set_num_threads(1)  # more threads only wait for each other on matrices this small
    config = config_of(run)
    history = train(ToyWorld, config, RECIPE, run, steps=60, labels=list(BLOCKS), warm=64)
    first, last = history[0], history[-1]
    # How far depends on how many scenes the workers have made by then; a model that does not learn stays at 1.
    assert last["caption"] < 0.75 * first["caption"] and last["answer"] < 0.75 * first["answer"]
    model, state = load(run / "checkpoint.pt")
    assert state["step"] == 60 and (run / "curves.png").stat().st_size > 10_000

    rng = np.random.default_rng(5)
    text = tokenizer.Text.load(run / "tokenizer.json", 48)
    report = evaluate(model, text, [ToyWorld().sample(rng) for _ in range(8)], list(BLOCKS), "0.0.1")
    assert 0 <= report["calibration"]["search"]["threshold"] <= 1


def test_torchrun_trains_two_machines_as_one(tmp_path: Path) -> None:
    """The line of the README for clusters, started as two machines of one process each would; in the world without pictures."""
    readme = (Path(__file__).parent / "README.md").read_text()
    line = re.search(r"srun bash -c '(NODE=\$SLURM_NODEID; .*)'\n", readme)
    assert line
    command = line[1].replace(".venv/bin/torchrun", f"{shlex.quote(sys.executable)} -m torch.distributed.run")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"--config tiny --out {tmp_path} --steps 8 --batch 4 --questions 2 --images 0.25 --no-bf16 --warmup 2"
    env = {**os.environ, "OMP_NUM_THREADS": "1", "NODES": "2", "PROCESSES": "1", "HEAD": "127.0.0.1", "PORT": str(port), "TRAIN": options}
    machines = [
        subprocess.Popen(["bash", "-c", command], env={**env, "SLURM_NODEID": str(rank)}, stderr=subprocess.PIPE, text=True) for rank in range(2)
    ]
    said = [machine.communicate(timeout=300)[1] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said[0][-2000:]
    about = json.loads((tmp_path / "config.json").read_text())
    assert about["recipe"]["batch"] == 4 and about["recipe"]["bf16"] is False and about["config"]["name"] == "tiny"
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] == 8 and rows[-1]["caption"] < rows[0]["caption"]
    assert (tmp_path / "curves.png").exists() and load(tmp_path / "checkpoint.pt")[1]["step"] == 8
