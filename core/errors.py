"""What goes wrong, in two kinds: a refusal that a person can act on, and a broken promise of our own."""

from __future__ import annotations


class Refusal(Exception):
    """A request that the business turns down, with one sentence that says what to do.

    Subclasses stand beside the rule that refuses and set `code` (stable, for programs) and
    `status` (the HTTP status). `str(refusal)` is the sentence; it is safe to show to the person.
    """

    code = "refused"
    status = 400

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotAllowed(Refusal):
    """The viewer's roles do not open this."""

    code = "not_allowed"
    status = 403


class NotFound(Refusal):
    """There is no such thing, or none that this viewer may see."""

    code = "not_found"
    status = 404


class Conflict(Refusal):
    """Somebody else changed it first, or it exists already."""

    code = "conflict"
    status = 409


class BrokenPromise(Exception):
    """An invariant of ours does not hold. The work stops at once; nothing is written."""
