"""Compares the app's conversion of openMaMMUT checkpoints (main/packs) with the public reference code; see docs/openmammut.md."""
