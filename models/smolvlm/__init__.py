"""Golden values for the app's conversion of SmolVLM2 checkpoints (main/packs), from the public reference code; see docs/smolvlm.md."""
