"""密钥 the committee key: made by all trustees together, held whole by nobody."""
