"""Refusals 拒绝: coded, bilingual, and each says what to do. The whole tree is here.

    Refusal
      Usage (KF-001)
        SettingUnknown (KF-002)
        SettingUnreadable (KF-003)
        UnknownPlugin (KF-004)
        AmountUnreadable (KF-005)
        FileUnreadable (KF-006)
      IllegalTransition (KF-101)
      LostRace (KF-102)
        ClaimTaken (KF-108)
      KeyReused (KF-103)
      NotErasable (KF-104)
      RoleMissing (KF-105)
      StreamUnknown (KF-106)
      WriterStopped (KF-107)
      EdgeRefusal (KF-120)
        Unauthenticated (KF-121)
          RequestReplayed (KF-122)
        AccessDenied (KF-123)
        RequestMalformed (KF-124)
        NothingHere (KF-125)
        Overloaded (KF-126)
        RequestTooSlow (KF-134)
        ActUnsigned (KF-127)
        Internal (KF-128)
        UploadRefusal (KF-130)
          UploadUnknown (KF-131)
          UploadOffset (KF-132)
          BodyMissing (KF-133)
      RuleBroken (KF-201)
        TooLate (KF-202)
        TooEarly (KF-203)
        TooFewBidders (KF-204)
        ParticipantLimit (KF-208)
      DraftIncomplete (KF-206)
      QuestionUnknown (KF-207)
      SuspensionRefusal (KF-209)
      DeadlineCrowded (KF-210)
      CoverRefusal (KF-211)
      ScoreInvalid (KF-212)
      EnvelopeRefusal (KF-300)
        NotSealed (KF-301)
        Malformed (KF-302)
        WrongTender (KF-303)
        WrongCommittee (KF-304)
        BodyAltered (KF-305)
        SignatureWrong (KF-306)
        PointInvalid (KF-307)
        KnowledgeUnproven (KF-308)
        EnvelopeRepeated (KF-309)
        ReplacementInvalid (KF-310)
        Oversized (KF-311)
        TokenInvalid (KF-312)
      CannotOpen (KF-320)
        CokeyWrong (KF-321)
        ContentMalformed (KF-322)
      CommitteeRefusal (KF-400)
        DealInvalid (KF-401)
        TranscriptDiffers (KF-402)
        ShareInvalid (KF-403)
        TooFewShares (KF-404)
        TrusteeRefuses (KF-405)
        ShareUnknown (KF-406)
      AwardRefusal (KF-500)
        NotACandidate (KF-501)
        NotFirstRank (KF-502)
        ContractDiffers (KF-503)
      DrawRefusal (KF-510)
      PanelRefusal (KF-511)
        SheetRefusal (KF-512)
          SheetLate (KF-513)
          SheetRepeated (KF-514)
          SheetChanged (KF-515)
        NotAMember (KF-516)
        PanelIncomplete (KF-517)
        BidsSealed (KF-518)
        ClarificationRefusal (KF-519)
      PaperRefusal (KF-520)
      ObjectionRefusal (KF-521)
      AwardPaused (KF-522)
      WarningRefusal (KF-523)
      Broken (KF-600)
        EntryBroken (KF-601)
        CheckpointBroken (KF-602)
        QuorumMissing (KF-603)
        FileBroken (KF-604)
        ProofBroken (KF-605)
        NoteMalformed (KF-606)
        PolicyMalformed (KF-607)
        DrawDiffers (KF-608)
      InputUnusable (KF-610)
      Fatal (KF-700)
        HeadMoved (KF-701)
        TimeStoodStill (KF-702)
        StoreDamaged (KF-703)
        StoreBusy (KF-704)
        StoreUnsafe (KF-707)
        StateOlder (KF-708)
      StoreFull (KF-705)
      StoreUnreachable (KF-706)
      WitnessRefuses (KF-710)
      ClockUntrusted (KF-711)
      RecordUnreadable (KF-800)
        BidUnreadable (KF-801)

An expected alternative is a value; a refusal is one of these; a bug is a crash.
"""

from trading.kernel.errors.edge import (
    AccessDenied,
    ActUnsigned,
    BodyMissing,
    ClockUntrusted,
    EdgeRefusal,
    Internal,
    NothingHere,
    Overloaded,
    RequestMalformed,
    RequestReplayed,
    RequestTooSlow,
    StateOlder,
    Unauthenticated,
    UploadOffset,
    UploadRefusal,
    UploadUnknown,
)
from trading.kernel.errors.evaluation import (
    AwardPaused,
    BidsSealed,
    ClarificationRefusal,
    DrawRefusal,
    NotAMember,
    ObjectionRefusal,
    PanelIncomplete,
    PanelRefusal,
    PaperRefusal,
    SheetChanged,
    SheetLate,
    SheetRefusal,
    SheetRepeated,
    WarningRefusal,
)
from trading.kernel.errors.refusal import (
    AmountUnreadable,
    BidUnreadable,
    Broken,
    CheckpointBroken,
    ClaimTaken,
    DrawDiffers,
    EntryBroken,
    Fatal,
    FileBroken,
    FileUnreadable,
    HeadMoved,
    IllegalTransition,
    InputUnusable,
    KeyReused,
    LostRace,
    NoteMalformed,
    NotErasable,
    PolicyMalformed,
    ProofBroken,
    QuorumMissing,
    RecordUnreadable,
    Refusal,
    RoleMissing,
    SettingUnknown,
    SettingUnreadable,
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreUnreachable,
    StoreUnsafe,
    StreamUnknown,
    TimeStoodStill,
    UnknownPlugin,
    Usage,
    WitnessRefuses,
    WriterStopped,
)
from trading.kernel.errors.trade import (
    AwardRefusal,
    BodyAltered,
    CannotOpen,
    CokeyWrong,
    CommitteeRefusal,
    ContentMalformed,
    ContractDiffers,
    CoverRefusal,
    DeadlineCrowded,
    DealInvalid,
    DraftIncomplete,
    EnvelopeRefusal,
    EnvelopeRepeated,
    KnowledgeUnproven,
    Malformed,
    NotACandidate,
    NotFirstRank,
    NotSealed,
    Oversized,
    ParticipantLimit,
    PointInvalid,
    QuestionUnknown,
    ReplacementInvalid,
    RuleBroken,
    ScoreInvalid,
    ShareInvalid,
    ShareUnknown,
    SignatureWrong,
    SuspensionRefusal,
    TokenInvalid,
    TooEarly,
    TooFewBidders,
    TooFewShares,
    TooLate,
    TranscriptDiffers,
    TrusteeRefuses,
    WrongCommittee,
    WrongTender,
)

__all__ = [
    "AccessDenied",
    "ActUnsigned",
    "AmountUnreadable",
    "AwardPaused",
    "AwardRefusal",
    "BidUnreadable",
    "BidsSealed",
    "BodyAltered",
    "BodyMissing",
    "Broken",
    "CannotOpen",
    "CheckpointBroken",
    "ClaimTaken",
    "ClarificationRefusal",
    "ClockUntrusted",
    "CokeyWrong",
    "CommitteeRefusal",
    "ContentMalformed",
    "ContractDiffers",
    "CoverRefusal",
    "DeadlineCrowded",
    "DealInvalid",
    "DraftIncomplete",
    "DrawDiffers",
    "DrawRefusal",
    "EdgeRefusal",
    "EntryBroken",
    "EnvelopeRefusal",
    "EnvelopeRepeated",
    "Fatal",
    "FileBroken",
    "FileUnreadable",
    "HeadMoved",
    "IllegalTransition",
    "InputUnusable",
    "Internal",
    "KeyReused",
    "KnowledgeUnproven",
    "LostRace",
    "Malformed",
    "NotACandidate",
    "NotAMember",
    "NotErasable",
    "NotFirstRank",
    "NotSealed",
    "NoteMalformed",
    "NothingHere",
    "ObjectionRefusal",
    "Overloaded",
    "Oversized",
    "PanelIncomplete",
    "PanelRefusal",
    "PaperRefusal",
    "ParticipantLimit",
    "PointInvalid",
    "PolicyMalformed",
    "ProofBroken",
    "QuestionUnknown",
    "QuorumMissing",
    "RecordUnreadable",
    "Refusal",
    "ReplacementInvalid",
    "RequestMalformed",
    "RequestReplayed",
    "RequestTooSlow",
    "RoleMissing",
    "RuleBroken",
    "ScoreInvalid",
    "SettingUnknown",
    "SettingUnreadable",
    "ShareInvalid",
    "ShareUnknown",
    "SheetChanged",
    "SheetLate",
    "SheetRefusal",
    "SheetRepeated",
    "SignatureWrong",
    "StateOlder",
    "StoreBusy",
    "StoreDamaged",
    "StoreFull",
    "StoreUnreachable",
    "StoreUnsafe",
    "StreamUnknown",
    "SuspensionRefusal",
    "TimeStoodStill",
    "TokenInvalid",
    "TooEarly",
    "TooFewBidders",
    "TooFewShares",
    "TooLate",
    "TranscriptDiffers",
    "TrusteeRefuses",
    "Unauthenticated",
    "UnknownPlugin",
    "UploadOffset",
    "UploadRefusal",
    "UploadUnknown",
    "Usage",
    "WarningRefusal",
    "WitnessRefuses",
    "WriterStopped",
    "WrongCommittee",
    "WrongTender",
]
