"""Keys, certificates and whom to believe: profiles, chains, trust lists, revocation, time-stamps, COSE."""
