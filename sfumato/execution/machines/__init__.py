"""Work shared out over many machines, each of which has this program."""
