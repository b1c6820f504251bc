"""Uploaded files on their way in: spooled to the house's own folder, and swept away when they have served."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import streamlit as st

from core.runtime import house

CHUNK = 1 << 20
DAY_S = 86_400


def spooled(upload: Any) -> Path:
    """The file's path; written once per upload, whatever its name says."""
    held = st.session_state.get("spooled")
    if held and held[0] == upload.file_id and Path(held[1]).exists():
        return Path(held[1])
    path = folder("uploads") / f"{uuid.uuid4().hex}.part"
    with path.open("wb") as file:
        while piece := upload.read(CHUNK):
            file.write(piece)
    st.session_state["spooled"] = (upload.file_id, str(path))
    return path


def done(path: Path) -> None:
    path.unlink(missing_ok=True)
    st.session_state.pop("spooled", None)


def refused_file() -> Path:
    """Where the refused rows of the next import are written."""
    return folder("refused") / f"{uuid.uuid4().hex}.csv"


def keep_refused(written: str, import_id: int | None) -> None:
    """Name the file after its import, so that the history finds it."""
    if written and import_id is not None:
        Path(written).rename(folder("refused") / f"{import_id}.csv")


def refused_of(import_id: int) -> Path | None:
    path = folder("refused") / f"{import_id}.csv"
    return path if path.exists() else None


def folder(name: str) -> Path:
    """A folder of the house; what a killed session left there a day ago goes."""
    found = house().settings.home / name
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in found.glob("*.part"):
        if time.time() - left.stat().st_mtime > DAY_S:
            left.unlink(missing_ok=True)
    return found
