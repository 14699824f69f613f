"""Tubelet's model in PyTorch: one video encoder, one text decoder used in two ways, sparse tubes (MaMMUT, arXiv 2303.16839)."""
