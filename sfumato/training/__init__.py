"""What the trainings of both wings share: averages of weights, several processes, workers that prepare batches."""
