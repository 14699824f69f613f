"""Tubelet's model in PyTorch: one video encoder, one text decoder used in two ways, sparse tubes (MaMMUT, arXiv 2303.16839)."""

import os

# ONNX Runtime's official binaries report to their maker unless this is set before they are loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
