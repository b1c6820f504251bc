"""Who did what, who may come in, and what stays sealed."""
