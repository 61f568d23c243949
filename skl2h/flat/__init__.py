"""Flat clusterers of their own: TURTLE and TEMI."""
