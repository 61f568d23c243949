"""L2HClustering, and what is asked of it."""
