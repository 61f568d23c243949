"""Rows in chunks that may live anywhere: read in passes, each a map and a sum."""
