"""The edge: commands today, HTTP next. Everything outside `web` works without it."""
