"""The networks of the generator and what stores them: embedder, synthesizer, discriminator, families, warps,
checkpoints.
"""
