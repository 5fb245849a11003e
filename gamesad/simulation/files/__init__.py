"""The simulated machine's kernel files, one module per kernel subsystem; each puts its part into the tree."""
