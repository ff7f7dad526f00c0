"""Where media come from: development keys, C2PA manifests, signing, verification. Imports nothing heavy by itself."""
