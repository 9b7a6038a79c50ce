"""交易 trading: tenders, sealed envelopes, the trustees' keys and the ledger they all stand on."""
