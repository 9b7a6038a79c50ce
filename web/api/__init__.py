"""窗口的门 one controller per desk: parse, call the desk, answer. No rule stands here."""
