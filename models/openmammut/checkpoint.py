"""Converts PyTorch's .pt and .bin files to .safetensors, which the app reads. No code in a file is run."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

CONFIG = "open_clip_config.json"


class Refused(Exception):
    """A file cannot be converted; the message says why, for the user."""


def read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a .pt or .bin: a state dict, or a trainer's file with one under "state_dict". Read with weights_only. @raises Refused"""
    if not path.is_file():
        raise Refused(f"{path} is not a file.")
    try:
        try:
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap can only be used" not in str(error):
                raise
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        what = "is no checkpoint, or holds more than weights and plain values, and is not run"
        raise Refused(f"{path.name} {what}: {_first_line(error)}") from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise Refused(f"{path.name} is no checkpoint, or is damaged or incomplete: {_first_line(error)}") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise Refused(f"{path.name} holds no state dict: neither tensors by name nor a dictionary with 'state_dict'.")
    # Trainers on several GPUs put "module." before every name.
    return {key.removeprefix("module."): value for key, value in state.items()}


def convert(path: Path, out: Path) -> int:
    """Writes the tensors of `path` into the new file `out`, and its config beside it. Returns the number of tensors. @raises Refused"""
    beside, copy = path.parent / CONFIG, out.parent / CONFIG
    if out.exists():
        raise Refused(f"{out} is there already.")
    tensors = read(path)
    out.parent.mkdir(parents=True, exist_ok=True)
    # Tensors that share memory are stored one by one.
    save_file({key: value.clone().contiguous() for key, value in tensors.items()}, out, metadata={"format": "pt"})
    if beside.is_file() and not copy.exists():
        shutil.copyfile(beside, copy)
    return len(tensors)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
