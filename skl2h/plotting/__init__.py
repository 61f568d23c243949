"""Pictures of a tree: everything that matplotlib draws."""
