"""The library over HTTP: who may read it, and for whom."""

from __future__ import annotations

from models import audiences, notices
from tests.builders import a_published_notice, a_retiree, a_worker, a_writer, headers_of, helper_of, oneself
from tests.story import V1


def test_the_family_reads_the_library_of_the_parent_and_nobody_elses(client):
    person, other = a_retiree(), a_retiree()
    notice = a_published_notice()
    daughter = headers_of(helper_of(person))
    assert len(client.get(f"{V1}/library?retiree_id={person['_id']}", headers=daughter).json) == 1
    for path in (f"{V1}/library", f"{V1}/library/{notice['_id']}"):
        reply = client.get(f"{path}?retiree_id={other['_id']}", headers=daughter)
        assert (reply.status_code, reply.json["code"]) == (404, "retiree_not_found")
    assert client.get(f"{V1}/library", headers=daughter).status_code == 422
    assert client.get(f"{V1}/library?retiree_id={person['_id']}", headers=a_worker()).status_code == 403


def test_a_withdrawn_notice_says_so_to_whoever_was_sent_it(client):
    writer, person = a_writer(), a_retiree()
    notice = a_published_notice(writer)
    list(audiences.freeze(notice["audience_id"]))
    notices.withdraw(notice["_id"], "有误", writer)
    reply = client.get(f"{V1}/library/{notice['_id']}?retiree_id={person['_id']}", headers=headers_of(oneself(person)))
    assert (reply.status_code, reply.json["code"]) == (404, "notice_withdrawn")
