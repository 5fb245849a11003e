"""The Neural Optimizer: what is learnt on the machine itself. The only importer of numpy in the daemon's tick."""
