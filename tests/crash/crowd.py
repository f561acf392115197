"""`python -m tests.crash.crowd COUNT FILE`, in the environment of a house: many people, some on WeChat, and a notice for them.

Writes {notice_id, people: [{id, phone, openid or null}]} to FILE. The notice is published, so the house begins at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bson import ObjectId

from models import access, accounts, bindings, clock, people, rules, subscription_grants
from models.database import collection, transaction
from models.message_templates import sandbox_template
from models.messages import IMPORTANT
from tests.builders import a_published_notice, a_writer, an_id_number

DIVISION = "430102001001"
FACTORY = "人多厂（虚构）"
# Every third is on WeChat and has allowed one message
ON_WECHAT = 3
TEMPLATE = sandbox_template("notice")


def main(count: int, file: Path) -> None:
    office = access.Actor(access.SYSTEM)
    # the crash may come at any hour
    for key in ("quiet_hours_start", "quiet_hours_end"):
        collection("rules").insert_one(rules.Rule(key, 0, "测试").as_document())
    crowd = []
    for start in range(0, count, 500):
        numbers = range(start, min(start + 500, count))
        made = [
            people.make(
                {
                    "name": "王秀英", "id_number": an_id_number(), "division": DIVISION, "phone": f"168{number:08d}",
                    "enterprise": FACTORY,
                },
                office,
            )
            for number in numbers
        ]  # fmt: skip
        transaction(lambda session, made=made: people.add_all(session, made, office))
        crowd += [
            {
                "id": person["_id"],
                "phone": person["phone"],
                "openid": f"crowd-{number}" if number % ON_WECHAT == 0 else None,
            }
            for number, person in zip(numbers, made, strict=True)
        ]
    _open_accounts([person for person in crowd if person["openid"]])
    notice = a_published_notice(
        a_writer(access.CITY, "4301"),
        importance=IMPORTANT,
        audience={"field": "enterprise", "op": "is", "value": FACTORY},
    )
    shown = [{**person, "id": str(person["id"])} for person in crowd]
    file.write_text(json.dumps({"notice_id": str(notice["_id"]), "people": shown}))


def _open_accounts(on_wechat: list[dict]) -> None:
    instant = clock.now()
    opened = [
        {"_id": ObjectId(), "openid": person["openid"], "kind": accounts.PUBLIC, "enabled": True, "created_at": instant}
        for person in on_wechat
    ]
    collection("accounts").insert_many(opened)
    collection("bindings").insert_many(
        [
            {
                "account_id": account["_id"], "retiree_id": person["id"], "state": bindings.CONFIRMED,
                "relation": bindings.SELF, "created_at": instant,
            }
            for account, person in zip(opened, on_wechat, strict=True)
        ]
    )  # fmt: skip
    for account in opened:
        subscription_grants.note({TEMPLATE: "accept"}, access.Actor(access.RETIREE, account["_id"]))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
