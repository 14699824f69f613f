"""Composed training video: procedural shapes and licensed cut-outs over backgrounds, with captions, questions and boxes."""
