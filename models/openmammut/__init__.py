"""What holds the app's conversion of openMaMMUT checkpoints (main/packs) to the public reference code; see docs/openmammut.md."""
