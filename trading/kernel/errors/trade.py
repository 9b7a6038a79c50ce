"""Refusals of the trade: rules of law, envelopes, the committee, awards."""

from trading.kernel.errors.refusal import Refusal


class RuleBroken(Refusal):
    code = "KF-201"
    zh = "{act}不符合{article}：{problem}"
    en = "{act} breaks {article}: {problem}"


class TooLate(RuleBroken):
    code = "KF-202"
    zh = "{act}已过截止时间 {deadline}（{article}）"
    en = "{act} came after the deadline {deadline} ({article})"


class TooEarly(RuleBroken):
    code = "KF-203"
    zh = "{act}须在 {moment} 之后进行（{article}）"
    en = "{act} must wait until {moment} ({article})"


class TooFewBidders(RuleBroken):
    code = "KF-204"
    zh = "标段 {lot} 只有 {count} 家投标，少于 {minimum} 家，不得开标（{article}）"
    en = "Lot {lot} has {count} bidders, fewer than {minimum}: no opening ({article})"


class DraftIncomplete(Refusal):
    code = "KF-206"
    zh = "招标项目内容不完整：{problem}"
    en = "The draft is incomplete: {problem}"


class ScoreInvalid(Refusal):
    code = "KF-212"
    zh = "评分无效：投标 {eid} 的 {item}：{problem}"
    en = "A score is not valid: {item} of bid {eid}: {problem}"


class QuestionUnknown(Refusal):
    code = "KF-207"
    zh = "没有编号为 {question} 的提问"
    en = "There is no question {question}"


class ParticipantLimit(RuleBroken):
    code = "KF-208"
    zh = "受邀单位 {count} 家，少于 {minimum} 家（{article}）"
    en = "{count} invited, fewer than {minimum} ({article})"


class SuspensionRefusal(Refusal):
    code = "KF-209"
    zh = "暂停与恢复：{problem}"
    en = "Suspension: {problem}"


class DeadlineCrowded(Refusal):
    code = "KF-210"
    zh = "{moment} 所在小时已有 {count} 个项目截标（上限 {limit}）；建议改为 {free}"
    en = "{count} tenders already end in the hour of {moment} (limit {limit}); try {free}"


class CoverRefusal(Refusal):
    code = "KF-211"
    zh = "掩护信封：{problem}"
    en = "Cover envelopes: {problem}"


class EnvelopeRefusal(Refusal):
    code = "KF-300"
    zh = "投标信封被拒收：{problem}"
    en = "The envelope is refused: {problem}"


class NotSealed(EnvelopeRefusal):
    code = "KF-301"
    zh = "文件未按 KFE1 加密密封，予以拒收（{article}）"
    en = "The file is not sealed as KFE1 and is refused ({article})"


class Malformed(EnvelopeRefusal):
    code = "KF-302"
    zh = "信封格式有误：{problem}"
    en = "The envelope is malformed: {problem}"


class WrongTender(EnvelopeRefusal):
    code = "KF-303"
    zh = "信封不属于本项目、标段或阶段：{problem}"
    en = "The envelope is for another tender, lot or stage: {problem}"


class WrongCommittee(EnvelopeRefusal):
    code = "KF-304"
    zh = "信封不是用本次开标的公钥密封的"
    en = "The envelope is not sealed to this opening's committee key"


class BodyAltered(EnvelopeRefusal):
    code = "KF-305"
    zh = "信封正文与其摘要不符（{problem}）"
    en = "The envelope's body does not match its digest ({problem})"


class SignatureWrong(EnvelopeRefusal):
    code = "KF-306"
    zh = "信封签名无效"
    en = "The envelope's signature is not valid"


class PointInvalid(EnvelopeRefusal):
    code = "KF-307"
    zh = "封装公钥不在素数阶子群内"
    en = "The encapsulated key is not in the prime-order subgroup"


class KnowledgeUnproven(EnvelopeRefusal):
    code = "KF-308"
    zh = "未能证明知道封装私钥（可能是复制他人信封）"
    en = "Knowledge of the ephemeral key is not proven (a copied envelope?)"


class EnvelopeRepeated(EnvelopeRefusal):
    code = "KF-309"
    zh = "同一信封或同一封装公钥已提交过"
    en = "This envelope or its encapsulated key was handed in before"


class ReplacementInvalid(EnvelopeRefusal):
    code = "KF-310"
    zh = "替换或撤回无效：{problem}"
    en = "The replacement or withdrawal is not valid: {problem}"


class Oversized(EnvelopeRefusal):
    code = "KF-311"
    zh = "信封 {size} 字节，超过上限 {limit} 字节"
    en = "The envelope has {size} bytes; the limit is {limit}"


class TokenInvalid(EnvelopeRefusal):
    code = "KF-312"
    zh = "投标令牌无效：{problem}"
    en = "The upload token is not valid: {problem}"


class CannotOpen(Refusal):
    code = "KF-320"
    zh = "信封无法解开：{problem}"
    en = "The envelope cannot be opened: {problem}"


class CokeyWrong(CannotOpen):
    code = "KF-321"
    zh = "投标人密钥与信封中的承诺不符"
    en = "The co-key does not match the commitment in the envelope"


class ContentMalformed(CannotOpen):
    code = "KF-322"
    zh = "信封内容格式有误：{problem}"
    en = "The envelope's content is malformed: {problem}"


class CommitteeRefusal(Refusal):
    code = "KF-400"
    zh = "委员会拒绝：{problem}"
    en = "The committee refuses: {problem}"


class DealInvalid(CommitteeRefusal):
    code = "KF-401"
    zh = "第 {dealer} 位受托人的分发无效：{problem}"
    en = "The deal of trustee {dealer} is not valid: {problem}"


class TranscriptDiffers(CommitteeRefusal):
    code = "KF-402"
    zh = "第 {signer} 位受托人对密钥生成记录的签名无效"
    en = "Trustee {signer}'s signature on the ceremony transcript is not valid"


class ShareInvalid(CommitteeRefusal):
    code = "KF-403"
    zh = "第 {trustee} 位受托人的解密份额无效"
    en = "The decryption share of trustee {trustee} is not valid"


class TooFewShares(CommitteeRefusal):
    code = "KF-404"
    zh = "只有 {count} 份有效份额，需要 {threshold} 份"
    en = "Only {count} valid shares; {threshold} are needed"


class TrusteeRefuses(CommitteeRefusal):
    code = "KF-405"
    zh = "受托人拒绝交出份额：{problem}"
    en = "The trustee does not release a share: {problem}"


class ShareUnknown(CommitteeRefusal):
    code = "KF-406"
    zh = "受托人没有该委员会（{kid}）的密钥份额"
    en = "The trustee holds no share of committee {kid}"


class AwardRefusal(Refusal):
    code = "KF-500"
    zh = "定标被拒：{problem}"
    en = "The award is refused: {problem}"


class NotACandidate(AwardRefusal):
    code = "KF-501"
    zh = "{bidder} 不是标段 {lot} 的中标候选人"
    en = "{bidder} is not a candidate of lot {lot}"


class NotFirstRank(AwardRefusal):
    code = "KF-502"
    zh = "应当确定排名第一的候选人中标，另选须说明法定理由（{article}）"
    en = "Rank 1 must win; choosing another needs a ground of law ({article})"


class ContractDiffers(AwardRefusal):
    code = "KF-503"
    zh = "合同与中标结果不一致：{problem}"
    en = "The contract differs from the award: {problem}"
