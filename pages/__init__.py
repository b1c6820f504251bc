"""The screens, one a file. They read metrics and call core; nothing on a page computes money."""
