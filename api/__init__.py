"""What other programs and browsers reach by HTTP, beside the screens."""
