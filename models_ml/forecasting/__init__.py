"""How many will write, how many people that takes, and which figures are out of the ordinary."""
