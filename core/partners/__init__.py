"""Partners: who earns a share, under which terms, and which sales are theirs."""
