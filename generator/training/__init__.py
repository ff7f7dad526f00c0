"""Meta-training: the trainer, its state, its log, validation, and the signs of an early death."""
