"""The audit log: lines that hang together by their digests, signed heads of it, and the check of both."""
