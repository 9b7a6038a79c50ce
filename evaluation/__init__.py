"""评标 evaluation: from opened bids to recommended candidates. Must not know who wins the award."""
