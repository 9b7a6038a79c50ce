"""The root of all refusals, and those of commands, the ledger, witnesses and imported data."""

from datetime import datetime, timedelta, timezone
from typing import ClassVar

from trading.kernel.errors.words import in_words

_CHINA = timezone(timedelta(hours=8))


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not a malfunction
    """`facts` fill both texts and stay readable on the exception."""

    code: ClassVar[str] = "KF-000"
    zh: ClassVar[str] = "被拒绝"
    en: ClassVar[str] = "Refused"

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(f"{self.code} {self.text('zh')} / {self.text('en')}")

    def text(self, language: str) -> str:
        shown = {name: _shown(value) for name, value in self.facts.items()}
        return (self.en if language == "en" else self.zh).format(**shown)


def _shown(value: object) -> object:
    """Moments as the clocks in China show them, failures of what lies below in words."""
    if isinstance(value, datetime):
        return f"{value.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}（UTC+8）"
    if isinstance(value, BaseException) and not isinstance(value, Refusal):
        return in_words(value)
    return value


class Usage(Refusal):
    code = "KF-001"
    zh = "命令用法有误：{problem}"
    en = "The command cannot be run like this: {problem}"


class SettingUnknown(Usage):
    code = "KF-002"
    zh = "设置项 {key} 不存在；可用的有：{known}"
    en = "There is no setting {key}; known ones: {known}"


class SettingUnreadable(Usage):
    code = "KF-003"
    zh = "设置项 {key} 无法读取：{problem}"
    en = "The setting {key} cannot be read: {problem}"


class UnknownPlugin(Usage):
    code = "KF-004"
    zh = "没有代码为 {plugin} 的规则；可用的有：{known}"
    en = "There is no plugin {plugin}; known ones: {known}"


class AmountUnreadable(Usage):
    code = "KF-005"
    zh = "金额 {amount} 无法读取：请写成至多两位小数的元"
    en = "The amount {amount} cannot be read: write yuan with at most two decimals"


class FileUnreadable(Usage):
    code = "KF-006"
    zh = "文件 {path} 无法读写：{problem}"
    en = "The file {path} cannot be read or written: {problem}"


class IllegalTransition(Refusal):
    code = "KF-101"
    zh = "项目处于“{phase}”阶段，不能进行 {fact}"
    en = "The tender is in phase {phase}; {fact} is not possible now"


class LostRace(Refusal):
    code = "KF-102"
    zh = "他人已先写入 {stream}（期望高度 {expected}，现为 {actual}），请重新读取后再试"
    en = (
        "Somebody else wrote to {stream} first (expected height {expected}, now {actual});"
        " read again and retry"
    )


class ClaimTaken(LostRace):
    code = "KF-108"
    zh = "{claim} 已被另一行为占用"
    en = "{claim} has been taken by another act"


class KeyReused(Refusal):
    code = "KF-103"
    zh = "幂等键 {key} 已用于另一内容；请换新键"
    en = "The idempotency key {key} was used for other content; use a new key"


class NotErasable(Refusal):
    code = "KF-104"
    zh = "第 {index} 条记录不含可删除的个人信息"
    en = "Entry {index} holds no personal data that may be erased"


class RoleMissing(Refusal):
    code = "KF-105"
    zh = "{party} 没有进行 {fact} 的权限（需要：{roles}）"
    en = "{party} may not do {fact} (needs: {roles})"


class StreamUnknown(Refusal):
    code = "KF-106"
    zh = "没有名为 {stream} 的记录流"
    en = "There is no stream {stream}"


class WriterStopped(Refusal):
    code = "KF-107"
    zh = "账本已停止写入：{cause}；请核查后重新启动"
    en = "The ledger has stopped writing: {cause}; inspect it, then restart"


class Broken(Refusal):
    code = "KF-600"
    zh = "校验未通过：{problem}"
    en = "Verification failed: {problem}"


class EntryBroken(Broken):
    code = "KF-601"
    zh = "第 {index} 条记录有误：{problem}"
    en = "Entry {index} is wrong: {problem}"


class CheckpointBroken(Broken):
    code = "KF-602"
    zh = "检查点（规模 {size}）有误：{problem}"
    en = "The checkpoint of size {size} is wrong: {problem}"


class QuorumMissing(Broken):
    code = "KF-603"
    zh = "检查点（规模 {size}）的见证人签名不足"
    en = "The checkpoint of size {size} lacks its witness quorum"


class FileBroken(Broken):
    code = "KF-604"
    zh = "文件 {path} 有误：{problem}"
    en = "The file {path} is wrong: {problem}"


class ProofBroken(Broken):
    code = "KF-605"
    zh = "证明有误：{problem}"
    en = "The proof is wrong: {problem}"


class DrawDiffers(Broken):
    code = "KF-608"
    zh = "抽取记录与重算不符：{problem}"
    en = "The draw is not what its transcript gives: {problem}"


class NoteMalformed(Broken):
    code = "KF-606"
    zh = "签名文本格式有误：{problem}"
    en = "The signed note is malformed: {problem}"


class PolicyMalformed(Broken):
    code = "KF-607"
    zh = "信任策略第 {line} 行有误：{problem}"
    en = "Line {line} of the trust policy is wrong: {problem}"


class InputUnusable(Refusal):
    code = "KF-610"
    zh = "无法使用 {path}：{problem}"
    en = "{path} cannot be used: {problem}"


class Fatal(Refusal):
    code = "KF-700"
    zh = "账本致命错误：{problem}"
    en = "Fatal ledger error: {problem}"


class HeadMoved(Fatal):
    code = "KF-701"
    zh = "账本头部已被他人改动（期望规模 {expected}）"
    en = "Somebody else moved the ledger's head (expected size {expected})"


class TimeStoodStill(Fatal):
    code = "KF-702"
    zh = "时间没有前进：上次 {last}，现在 {now}"
    en = "Time did not progress: last {last}, now {now}"


class StoreDamaged(Fatal):
    code = "KF-703"
    zh = "账本存储与检查点不符：{problem}"
    en = "The store does not match its checkpoint: {problem}"


class StoreBusy(Fatal):
    code = "KF-704"
    zh = "账本 {path} 已由另一进程打开"
    en = "The ledger {path} is open in another process"


class StoreFull(Refusal):
    code = "KF-705"
    zh = "存储空间已满（{path}），本次未被接受；腾出空间后自动恢复，请稍后用同一幂等键重试"
    en = "The disk is full ({path}): not accepted; retry later under the same idempotency key"


class StoreUnreachable(Refusal):
    code = "KF-706"
    zh = "存储（数据库或对象存储）暂时不可用，结果未知：请用同一幂等键查询或重试（{problem}）"
    en = (
        "The store (of the ledger or of envelopes) is away and the outcome unknown: ask or retry"
        " under the same idempotency key ({problem})"
    )


class StoreUnsafe(Fatal):
    code = "KF-707"
    zh = "数据库设置不安全，拒绝启动：{problem}"
    en = "The database is not set up safely, refusing to start: {problem}"


class WitnessRefuses(Refusal):
    code = "KF-710"
    zh = "见证人 {witness} 拒绝联署（{status}）：{problem}"
    en = "The witness {witness} does not cosign ({status}): {problem}"


class RecordUnreadable(Refusal):
    code = "KF-800"
    zh = "公开数据 {path} 无法读取：{problem}"
    en = "The open data {path} cannot be read: {problem}"


class BidUnreadable(RecordUnreadable):
    code = "KF-801"
    zh = "投标 {bid} 的报价无法读取：{problem}"
    en = "The bid {bid} cannot be read: {problem}"
