"""`millrace jobs`: list the jobs, or run one for a business date or a range of them."""

from __future__ import annotations

import argparse
from datetime import date, timedelta

from core import jobs
from core.errors import Refusal
from core.periods import NotAPeriod, Period, now
from core.runtime import close_house, open_house
from core.settings import read
from core.viewer import SYSTEM
from data.postgres import transaction

DAYS_MAX = 3_700


class JobFailed(Refusal):
    code = "job_failed"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(act="list")
    acts = parser.add_subparsers(dest="act", metavar="ACT")
    acts.add_parser("list", help="each job, its last run and its next (the default)")
    one = acts.add_parser("run", help="run a job for business dates that are not done")
    one.add_argument("name", metavar="NAME")
    one.add_argument("--date", metavar="D", help="one business date, YYYY-MM-DD (default: today)")
    one.add_argument("--since", metavar="D", help="the first date of a range")
    one.add_argument("--until", metavar="D", help="the date after the last of a range")


def run(args: argparse.Namespace) -> int:
    days = _days(args) if args.act == "run" else []
    job = jobs.named(args.name) if args.act == "run" else None
    open_house(read())
    try:
        return _run(job, days) if job else _list()
    finally:
        close_house()


def _run(job: jobs.Job, days: list[date]) -> int:
    failed = 0
    for day in days:
        outcome, detail = jobs.run(job, day)
        failed += outcome == "failed"
        words = detail.get("sentence") or ", ".join(f"{name} {value}" for name, value in detail.items())
        print(f"{day}  {job.name}  {outcome}{'  ' + str(words) if words else ''}")
    if failed:
        raise JobFailed(
            f"{failed} of {len(days)} runs of {job.name} failed; put right what the lines say and run it again."
        )
    return 0


def _list() -> int:
    with transaction() as db:
        found = jobs.overview(db, SYSTEM)
    for line in found["jobs"]:
        last = f"last {line['last_day']} {line['last_state']}" if line["last_day"] else "not run yet"
        print(f"{line['name']:<12} {line['at']} {line['zone']:<16} {last:<28} next {line['next_due']:%Y-%m-%d %H:%M}")
        print(f"{'':<12} {line['sentence']}")
    print("queue: " + ", ".join(f"{count} {state}" for state, count in found["queue"].items()))
    return 0


def _days(args: argparse.Namespace) -> list[date]:
    if args.date and (args.since or args.until):
        raise NotAPeriod("Give either --date, or --since and --until.")
    if not (args.since or args.until):
        return [_date(args.date) if args.date else now().date()]
    if not (args.since and args.until):
        raise NotAPeriod("A range needs both --since and --until, such as --since 2026-03-01 --until 2026-03-08.")
    period = Period(_date(args.since), _date(args.until))
    if period.days > DAYS_MAX:
        raise NotAPeriod(f"{period.days} days are more than one command runs; ask for at most {DAYS_MAX}.")
    return [period.since + timedelta(days=n) for n in range(period.days)]


def _date(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise NotAPeriod(f"“{words[:20]}” is not a date; write it as 2026-03-08.") from None
