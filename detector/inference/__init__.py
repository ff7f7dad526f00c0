"""What a scan needs: files to crops, crops to logits, logits to a score and its reasons. No torch."""
