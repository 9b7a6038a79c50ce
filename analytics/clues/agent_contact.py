"""投标人与招标代理联系人雷同 bidder and agent share a contact.

名称 Name: agent-contact.
定义 Definition: a bidder gives a contact, telephone number or address of the tendering agent.
理由 Why: the inside and the outside speak with one voice.
数据 Data: agent_contacts; bids.contact, phone, email.
方法 Method: equality.
阈值 Threshold: 1.
例外 Exclusions: none.
来源 Source: 清标四十六项; 条例 第四十一条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        known = set(case.agent_contacts) - {""}
        for bid in case.bids:
            shared = known & {bid.contact, bid.phone, bid.email}
            if shared:
                yield Hit(case.lot, (bid.bidder,), "、".join(sorted(shared)))


CLUE = Clue(
    code="agent-contact",
    zh="投标人与招标代理联系人雷同",
    en="bidder and agent share a contact",
    group=Group.BASIC,
    article="条例 第四十一条",
    look=_look,
)
