"""Cells as a spreadsheet shows them and never runs them: for every file that leaves the house."""

from __future__ import annotations

import re

LIVE = re.compile(r"\s*[=+\-@\t\r\0＝＋－＠]")
"""A cell that begins so may be run as a formula (OWASP ASVS 5.0, 1.2.10); blanks before it do not hinder that."""

NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?\Z")


def neutral(text: str) -> str:
    """The same text behind an apostrophe where it would be a formula; plain numbers stay numbers."""
    return f"'{text}" if LIVE.match(text) and not NUMBER.match(text) else text
