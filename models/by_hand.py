"""Certification by a worker's hand: at home, at the window, by video, from a data match. Always possible, never a face."""

from __future__ import annotations

import datetime as dt

from bson import ObjectId

from models import certification_sessions, certifications, clock, follow_ups, people, rules
from models.access import OFFICE, Actor, require
from models.database import Document, Session, transaction
from models.errors import Conflict, Invalid


def record(retiree_id: ObjectId, method: str, certified_on: dt.date, note: str, actor: Actor) -> Document:
    """A worker certifies somebody seen at home, at the window or by video, or known from a data match.

    The same method on the same day is one certificate, however often the button is pressed.

    Raises:
        Invalid: the day is in the future or more than a cycle ago.
        Conflict: the person has died.
    """
    require(actor, OFFICE)
    today = clock.today()
    if certified_on > today:
        raise Invalid("in_the_future", "认证日期不能晚于今天。", pointer="/certified_on")

    def write(session: Session) -> Document:
        person = people.get(retiree_id, actor, session)
        months = rules.number("certification_cycle_months", today, person["division"])
        if certified_on < clock.add_months(today, -months):
            raise Invalid("too_long_ago", f"认证日期已超过{months}个月，不能再用。", pointer="/certified_on")
        if person["status"] == people.DECEASED:
            raise Conflict("deceased", "这位退休人员已登记去世，请先核实登记是否有误。")
        once = f"{method}:{certified_on}"
        known = certifications.issued_once(session, retiree_id, once)
        if known:
            return known
        follow_ups.close(session, retiree_id)
        certification_sessions.close_certified(session, retiree_id)
        return certifications.certify(session, person, method, certified_on, actor, note=note, once=once)

    return transaction(write)
