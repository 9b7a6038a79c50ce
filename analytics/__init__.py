"""预警 warnings and market statistics: a follower of the ledger. Empty until its issue comes."""
