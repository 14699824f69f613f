"""Compares the app's conversion of OWL-ViT and OWLv2 checkpoints (main/packs/owl.ts) with transformers; see docs/owl.md."""
