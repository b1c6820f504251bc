"""How fast, beside a reference measured in the same run: no part of the product, and no test."""
