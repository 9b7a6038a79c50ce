"""异标段解密IP雷同 one decryption address across lots.

名称 Name: cross-decrypt-ip.
定义 Definition: different bidders of different lots decrypted from one address.
理由 Why: firms that share an office.
数据 Data: bids.decrypt_ip.
方法 Method: each value is held against all earlier lots, and told for the later one.
阈值 Threshold: one other bidder.
例外 Exclusions: the same bidder in several lots; empty values.
来源 Source: 清标四十六项; 电子招标投标办法 第十六条.
"""

from analytics.clue import Clue, Group, across_lots

__all__ = ["CLUE"]


CLUE = Clue(
    code="cross-decrypt-ip",
    zh="异标段解密IP雷同",
    en="one decryption address across lots",
    group=Group.BASIC,
    article="电子招标投标办法 第十六条",
    look=across_lots("decrypt_ip"),
)
