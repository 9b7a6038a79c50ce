"""账本 the ledger: an append-only log of facts after the C2SP transparency-log specifications."""
