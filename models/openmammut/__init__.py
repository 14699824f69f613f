"""openMaMMUT checkpoints (LAION's open_clip fork and open_clip itself) as packs of the app; see docs/openmammut.md."""
