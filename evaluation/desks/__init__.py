"""评标的各个窗口 the desks of evaluation: load, decide, append."""
