"""`millrace serve`: open the house, load the demo where asked, say where it is, and serve."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

from core import settings
from core.errors import Refusal
from core.runtime import House, close_house, open_house
from core.settings import Settings
from core.trust import people
from data.postgres import transaction

ROOT = Path(__file__).resolve().parents[2]


class PortTaken(Refusal):
    """Another program listens there."""

    code = "port_taken"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", help="the port to listen on (PORT, 8501)")
    parser.add_argument("--address", help="the address to listen on (MILLRACE_ADDRESS, 127.0.0.1)")


def run(args: argparse.Namespace) -> int:
    if args.port:
        os.environ["PORT"] = args.port
    if args.address:
        os.environ["MILLRACE_ADDRESS"] = args.address
    chosen = settings.read()
    refuse_taken_port(chosen)
    began = time.monotonic()
    house = open_house(chosen)
    if chosen.demo and not load_demo():
        house.settings = replace(chosen, demo=False)  # real sales are not shown to known passwords
    house.warehouse.refresh()
    announce(house, time.monotonic() - began)
    try:
        serve(chosen)
    finally:
        close_house()
    return 0


def refuse_taken_port(chosen: Settings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in chosen.address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.address, chosen.port))
        except OSError:
            raise PortTaken(
                f"Port {chosen.port} of {chosen.address} is in use; stop that program, or choose another: PORT=8502."
            ) from None


def load_demo() -> bool:
    """Load the demo where it is missing; False where the house has sales of its own, which is served without it."""
    from core import demo
    from core.cli.demo import bar

    try:
        demo.load(progress=bar("Loading the demo business"))
    except demo.HouseInUse:
        print("  This house has sales of its own: it is served without the demo.", file=sys.stderr)
        return False
    return True


def announce(house: House, seconds: float) -> None:
    """The address, and how to come in."""
    chosen = house.settings
    lines = ["", f"  Millrace is at {chosen.public_url}   (ready in {seconds:.1f} s; stop with Ctrl-C)"]
    if house.caution:
        lines.append(f"  Note: {house.caution}")
    with transaction() as db:
        if chosen.demo:
            lines += ["", "  Demo sign-ins (the names and numbers are made up):"]
            from core.demo import PARTNER

            signs = people.demo_people(db, chosen, partner_code=PARTNER)
            lines += [f"    {who.email:<32} {who.password}   {', '.join(who.roles)}" for who in signs]
        elif link := people.ensure_first_admin(db, chosen):
            lines += ["", f"  Nobody can sign in yet. Make the first admin, once, within 24 hours:\n    {link}"]
    print("\n".join(lines), file=sys.stderr, flush=True)


def serve(chosen: Settings) -> None:
    """Uvicorn in this process, with Streamlit told the same address."""
    os.chdir(ROOT)  # Streamlit reads .streamlit/config.toml here
    os.environ["STREAMLIT_SERVER_PORT"] = str(chosen.port)
    os.environ["STREAMLIT_SERVER_ADDRESS"] = chosen.address
    os.environ.setdefault("STREAMLIT_LOGGER_LEVEL", "warning")  # requests are the proxy's to log
    import uvicorn

    uvicorn.run(
        "app:app",
        host=chosen.address,
        port=chosen.port,
        log_level="warning",
        access_log=False,
        proxy_headers=bool(chosen.proxies),
        forwarded_allow_ips=chosen.proxies or None,
        ws_max_size=600 * 2**20,
        timeout_graceful_shutdown=5,
    )
