"""What the net learns from: cached crops, pairs of a real and a fake, degradations."""
