"""Commands about sets of fakes and their real twins."""
