"""What outlives the loss of a credential: fingerprints, repositories, resolvers, recovery."""
