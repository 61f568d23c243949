"""Matrices of scores, (n, K), and where they come from."""
