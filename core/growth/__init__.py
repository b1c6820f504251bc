"""What the business aims at and what happened to it: goals, and notes on its days."""
