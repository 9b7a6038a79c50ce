"""监管机器人 supervision robots. Empty until the evaluation rooms exist for it to watch."""
