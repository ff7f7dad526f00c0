"""Measurements that can be repeated: quality, detection, speed."""
