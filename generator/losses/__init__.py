"""What the networks are trained with: the terms of section 3.2, and the networks that they look through."""
