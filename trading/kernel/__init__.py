"""Small words that every room uses: money, time, ids, parties, refusals."""
