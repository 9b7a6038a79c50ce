"""Refusals of the edge: who asks, how, how often, and in what state the node is."""

from trading.kernel.errors.refusal import Fatal, Refusal


class EdgeRefusal(Refusal):
    code = "KF-120"
    zh = "请求被拒绝：{problem}"
    en = "The request is refused: {problem}"


class Unauthenticated(EdgeRefusal):
    code = "KF-121"
    zh = "请求须由已登记主体签名（RFC 9421）：{problem}"
    en = "The request must be signed by an enrolled party (RFC 9421): {problem}"


class RequestReplayed(Unauthenticated):
    code = "KF-122"
    zh = "该请求签名已使用过；每次请求请用新的 nonce"
    en = "This request's signature has been used; sign each request with a fresh nonce"


class AccessDenied(EdgeRefusal):
    code = "KF-123"
    zh = "{party} 无权调用 {operation}（需要：{roles}）"
    en = "{party} may not call {operation} (needs: {roles})"


class RequestMalformed(EdgeRefusal):
    code = "KF-124"
    zh = "请求内容有误：{problem}"
    en = "The request is malformed: {problem}"


class NothingHere(EdgeRefusal):
    code = "KF-125"
    zh = "没有 {what}"
    en = "There is no {what}"


class Overloaded(EdgeRefusal):
    code = "KF-126"
    zh = "系统繁忙，本次未被接受；请在 {seconds} 秒后用同一幂等键重试"
    en = "Too busy: not accepted; retry in {seconds} s under the same idempotency key"


class RequestTooSlow(EdgeRefusal):
    code = "KF-134"
    zh = "请求内容须在 {seconds} 秒内完整送达，且不超过 {limit} 字节"
    en = "A request must arrive whole within {seconds} s, in at most {limit} bytes"


class ActUnsigned(EdgeRefusal):
    code = "KF-127"
    zh = "{party} 对该行为的签名不符；应签名的内容为：{message}"
    en = "The signature of {party} over the act is wrong; sign exactly this: {message}"


class Internal(EdgeRefusal):
    code = "KF-128"
    zh = "内部错误，已记录（{request}）；请用同一幂等键查询结果"
    en = "Internal error, logged as {request}; ask for the outcome under the same idempotency key"


class UploadRefusal(EdgeRefusal):
    code = "KF-130"
    zh = "上传被拒绝：{problem}"
    en = "The upload is refused: {problem}"


class UploadUnknown(UploadRefusal):
    code = "KF-131"
    zh = "没有上传 {upload}；请重新创建"
    en = "There is no upload {upload}; create it again"


class UploadOffset(UploadRefusal):
    code = "KF-132"
    zh = "上传位置应为 {expected}，而不是 {given}；请从 {expected} 续传"
    en = "The upload stands at {expected}, not at {given}; go on from {expected}"


class BodyMissing(UploadRefusal):
    code = "KF-133"
    zh = "信封 {eid} 尚未上传完整；请先上传，再提交封存"
    en = "The envelope {eid} has not been uploaded; upload it first, then seal"


class ClockUntrusted(Refusal):
    code = "KF-711"
    zh = "本机时间不可信（{problem}），暂停一切与截止时间有关的决定；未丢失任何内容，请稍后重试"
    en = (
        "The time here is not trusted ({problem}): decisions about deadlines wait; nothing is"
        " lost, retry later"
    )


class StateOlder(Fatal):
    code = "KF-708"
    zh = (
        "本账本（{size} 条）比见证人 {witness} 所见（{seen} 条）旧，可能恢复自旧备份，拒绝启动；"
        "须两人签署放行（kaifeng restore approve）"
    )
    en = (
        "This ledger ({size} entries) is older than witness {witness} has seen ({seen}): restored"
        " from an old back-up? Refusing to start without two persons (kaifeng restore approve)"
    )
