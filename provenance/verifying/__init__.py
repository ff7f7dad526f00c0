"""From a file to an outcome: verification, trust, policy, the manifest tree."""
