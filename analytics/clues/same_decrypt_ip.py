"""解密IP雷同 one decryption address.

名称 Name: same-decrypt-ip.
定义 Definition: two bids of a lot were decrypted from one address.
理由 Why: the same office opened both.
数据 Data: bids.decrypt_ip, where a gateway keeps it.
方法 Method: values of the lot's bids are compared as they are.
阈值 Threshold: two bidders.
例外 Exclusions: empty values; shared networks and agents' offices are for people to tell apart.
来源 Source: 清标四十六项; 电子招标投标办法 第十六条.
"""

from analytics.clue import Clue, Group, within_lot

__all__ = ["CLUE"]


CLUE = Clue(
    code="same-decrypt-ip",
    zh="解密IP雷同",
    en="one decryption address",
    group=Group.TRIGGER,
    article="电子招标投标办法 第十六条",
    look=within_lot("decrypt_ip"),
)
