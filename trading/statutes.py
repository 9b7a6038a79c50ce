"""The numbers of the law that the heart of the trade obeys, each with article and dates.

法 = 招标投标法, 条例 = its implementing regulation, 采购法 and 采购条例 likewise. Marks: see
trading/kernel/rule.py; docs/reference/procedures.md prints these tables. What has no number (a
late or unsealed file, a bid that must be rejected) each law says in an article of its own.
"""

from datetime import date

from trading.kernel.calendar import Period, Unit
from trading.kernel.rule import Article, Articles, Mark, Rule, Statute

_BIDDING_LAW = date(2000, 1, 1)
_BIDDING_RULES = date(2012, 2, 1)
_PROCUREMENT_LAW = date(2003, 1, 1)
_PROCUREMENT_RULES = date(2015, 3, 1)


def _days(amount: int) -> Period:
    return Period(amount)


def _working(amount: int) -> Period:
    return Period(amount, Unit.WORKING_DAY)


def _statute(code: str, zh: str, en: str, *versions: Rule) -> Statute:
    return Statute(code, zh, en, versions)


TENDER_PERIOD = _statute(
    "tender-period",
    "自招标文件开始发出至截标",
    "from issue of the documents to the deadline",
    Rule(_days(20), "招标投标法 第二十四条", _BIDDING_LAW, Mark.SEEN),
)
PROCUREMENT_PERIOD = _statute(
    "procurement-period",
    "自招标文件开始发出至截标",
    "from issue of the documents to the deadline",
    Rule(_days(20), "政府采购法 第三十五条", _PROCUREMENT_LAW, Mark.SEEN),
)
INQUIRY_PERIOD = _statute(
    "inquiry-period",
    "自询价通知书发出至截止",
    "from the inquiry notice to the deadline",
    Rule(
        _working(3),
        "政府采购非招标采购方式管理办法（74号令） 第四十五条",
        date(2014, 2, 1),
        Mark.MEMORY,
    ),
)
SOLE_NOTICE = _statute(
    "sole-notice",
    "单一来源公示",
    "notice of a single source",
    Rule(_working(5), "政府采购法实施条例 第三十八条", _PROCUREMENT_RULES, Mark.SEEN),
)
DOCUMENT_PERIOD = _statute(
    "document-period",
    "招标文件发售期",
    "time the documents are on offer",
    Rule(_days(5), "招标投标法实施条例 第十六条", _BIDDING_RULES, Mark.SEEN),
)
PROCUREMENT_DOCUMENTS = _statute(
    "procurement-documents",
    "招标文件提供期",
    "time the documents are on offer",
    Rule(_working(5), "政府采购法实施条例 第三十一条", _PROCUREMENT_RULES, Mark.SEEN),
)
CLARIFICATION = _statute(
    "clarification",
    "澄清或修改至截标",
    "from a change to the deadline",
    Rule(_days(15), "招标投标法 第二十三条", _BIDDING_LAW, Mark.SEEN),
    Rule(
        _days(15),
        "招标投标法 第二十三条；招标投标法实施条例 第二十一条",
        _BIDDING_RULES,
        Mark.SEEN,
    ),
)
PROCUREMENT_CLARIFICATION = _statute(
    "procurement-clarification",
    "澄清或修改至截标",
    "from a change to the deadline",
    Rule(_days(15), "政府采购法实施条例 第三十一条", _PROCUREMENT_RULES, Mark.MEMORY),
)
MINIMUM_BIDDERS = _statute(
    "minimum-bidders",
    "最少投标人数",
    "fewest bidders",
    Rule(3, "招标投标法 第二十八条", _BIDDING_LAW, Mark.SEEN),
    Rule(3, "招标投标法 第二十八条；招标投标法实施条例 第四十四条", _BIDDING_RULES, Mark.SEEN),
)
MINIMUM_SUPPLIERS = _statute(
    "minimum-suppliers",
    "最少供应商数",
    "fewest suppliers",
    Rule(3, "政府采购法 第三十六条", _PROCUREMENT_LAW, Mark.MEMORY),
)
MINIMUM_QUOTES = _statute(
    "minimum-quotes",
    "询价最少供应商数",
    "fewest suppliers asked",
    Rule(3, "政府采购法 第四十条", _PROCUREMENT_LAW, Mark.MEMORY),
)
SOLE_SUPPLIER = _statute(
    "sole-supplier",
    "单一来源供应商数",
    "suppliers of a single source",
    Rule(1, "政府采购法 第三十一条", _PROCUREMENT_LAW, Mark.MEMORY),
)
INVITED_BIDDERS = _statute(
    "invited-bidders",
    "最少受邀人数",
    "fewest invited",
    Rule(3, "招标投标法 第十七条", _BIDDING_LAW, Mark.SEEN),
)
CANDIDATES = _statute(
    "candidates",
    "中标候选人数上限",
    "most candidates",
    Rule(3, "招标投标法实施条例 第五十三条", _BIDDING_RULES, Mark.SEEN),
)
PUBLICITY_START = _statute(
    "publicity-start",
    "收到评标报告至公示",
    "from the report to publicity",
    Rule(_days(3), "招标投标法实施条例 第五十四条", _BIDDING_RULES, Mark.SEEN),
)
PUBLICITY = _statute(
    "publicity",
    "中标候选人公示期",
    "publicity of candidates",
    Rule(_days(3), "招标投标法实施条例 第五十四条", _BIDDING_RULES, Mark.SEEN),
)
SUPPLIER_CHOICE = _statute(
    "supplier-choice",
    "确定中标供应商",
    "choice of the supplier",
    Rule(_working(5), "政府采购法实施条例 第四十三条", _PROCUREMENT_RULES, Mark.SEEN),
)
FIRST_RANK = _statute(
    "first-rank",
    "排名第一的候选人中标",
    "rank 1 must win",
    Rule(1, "招标投标法实施条例 第五十五条", _BIDDING_RULES, Mark.SEEN),
)
FIRST_SUPPLIER = _statute(
    "first-supplier",
    "按顺序确定中标供应商",
    "suppliers in order of rank",
    Rule(1, "政府采购法实施条例 第四十三条", _PROCUREMENT_RULES, Mark.SEEN),
)
CONTRACT = _statute(
    "contract",
    "中标通知书发出至订立合同",
    "from the award notice to the contract",
    Rule(_days(30), "招标投标法 第四十六条", _BIDDING_LAW, Mark.SEEN),
)
PROCUREMENT_CONTRACT = _statute(
    "procurement-contract",
    "中标通知书发出至订立合同",
    "from the award notice to the contract",
    Rule(_days(30), "政府采购法 第四十六条", _PROCUREMENT_LAW, Mark.SEEN),
)
OBJECTION_DOCUMENTS = _statute(
    "objection-documents",
    "对招标文件提出异议",
    "objections to the documents, before the deadline",
    Rule(_days(10), "招标投标法实施条例 第二十二条", _BIDDING_RULES, Mark.SEEN),
)
OBJECTION_ANSWER = _statute(
    "objection-answer",
    "答复异议",
    "to answer an objection",
    Rule(_days(3), "招标投标法实施条例 第二十二条、第五十四条", _BIDDING_RULES, Mark.SEEN),
)
QUESTION_RAISED = _statute(
    "question-raised",
    "提出质疑",
    "to question the procedure or its result",
    Rule(_working(7), "政府采购法 第五十二条", _PROCUREMENT_LAW, Mark.SEEN),
)
QUESTION_ANSWER = _statute(
    "question-answer",
    "答复质疑",
    "to answer a question",
    Rule(_working(7), "政府采购法 第五十三条", _PROCUREMENT_LAW, Mark.SEEN),
)
COMPLAINT = _statute(
    "complaint",
    "提出投诉",
    "to complain",
    Rule(_days(10), "招标投标法实施条例 第六十条", _BIDDING_RULES, Mark.SEEN),
)
PROCUREMENT_COMPLAINT = _statute(
    "procurement-complaint",
    "提出投诉",
    "to complain after the answer",
    Rule(_working(15), "政府采购法 第五十五条", _PROCUREMENT_LAW, Mark.SEEN),
)
ARCHIVE_YEARS = _statute(
    "archive-years",
    "采购文件保存年限",
    "years that the files are kept",
    Rule(15, "政府采购法 第四十二条；发改法规〔2025〕1358号 [sec]", _PROCUREMENT_LAW, Mark.SEEN),
)
ADD_ON = _statute(
    "add-on",
    "追加采购上限（百分之）",
    "most that may be added to a contract, percent",
    Rule(10, "政府采购法 第四十九条", _PROCUREMENT_LAW, Mark.SEEN),
)
BIDDING_ARTICLES = Articles(
    late=Article("招标投标法实施条例 第三十六条", Mark.SEEN),
    opening=Article("招标投标法 第三十四条", Mark.SEEN),
    withdrawal=Article("招标投标法 第二十九条", Mark.SEEN),
    correction=Article("招标投标法 第二十三条", Mark.SEEN),
    undecrypted=Article("电子招标投标办法（20号令） 第三十一条", Mark.MEMORY),
    unsigned=Article("招标投标法实施条例 第五十一条（一）", Mark.SEEN),
    unqualified=Article("招标投标法实施条例 第五十一条（三）", Mark.SEEN),
    twice=Article("招标投标法实施条例 第五十一条（四）", Mark.SEEN),
    over_ceiling=Article("招标投标法实施条例 第五十一条（五）", Mark.SEEN),
    unresponsive=Article("招标投标法实施条例 第五十一条（六）", Mark.SEEN),
    all_rejected=Article("招标投标法 第四十二条", Mark.MEMORY),
)
PROCUREMENT_ARTICLES = Articles(
    late=Article("政府采购货物和服务招标投标管理办法（87号令） 第三十三条", Mark.MEMORY),
    opening=Article("政府采购货物和服务招标投标管理办法（87号令） 第三十九条", Mark.MEMORY),
    withdrawal=Article("政府采购货物和服务招标投标管理办法（87号令） 第三十四条", Mark.MEMORY),
    correction=Article("政府采购货物和服务招标投标管理办法（87号令） 第二十七条", Mark.MEMORY),
    undecrypted=Article("电子招标投标办法（20号令） 第三十一条", Mark.MEMORY),
    unsigned=Article("政府采购货物和服务招标投标管理办法（87号令） 第六十三条（二）", Mark.MEMORY),
    unqualified=Article(
        "政府采购货物和服务招标投标管理办法（87号令） 第六十三条（三）", Mark.MEMORY
    ),
    twice=Article("政府采购货物和服务招标投标管理办法（87号令） 第六十三条（六）", Mark.MEMORY),
    over_ceiling=Article(
        "政府采购货物和服务招标投标管理办法（87号令） 第六十三条（四）", Mark.MEMORY
    ),
    unresponsive=Article(
        "政府采购货物和服务招标投标管理办法（87号令） 第六十三条（六）", Mark.MEMORY
    ),
    all_rejected=Article("政府采购法 第三十六条", Mark.MEMORY),
)
