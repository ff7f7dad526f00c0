"""What is done to frames and files on their way to a detector or a reader of marks."""
