"""窗口 desks: load the facts, let a pure rule decide, append. No rule of law stands here."""
