"""The detector: a face crop in, blend evidence and synthesis evidence out, with thresholds at stated false-positive
rates.
"""
