"""The algorithms: logits in, merges out."""
