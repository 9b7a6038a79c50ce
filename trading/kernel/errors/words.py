"""用语 what goes wrong below us, in words that say what to do; looked up by the name of its class,
so that no library is loaded to say that it failed.
"""

__all__ = ["in_words"]

_DAMAGED = "压缩数据不完整 / its packed data is damaged"
_WORDS = {
    "FileNotFoundError": "不存在 / there is no such file",
    "NotADirectoryError": "不是目录 / it is no folder",
    "IsADirectoryError": "是目录，不是文件 / it is a folder, not a file",
    "PermissionError": "没有权限 / permission is missing",
    "UnicodeDecodeError": "不是 UTF-8 文本，请另存为 UTF-8 / not UTF-8 text: save it as UTF-8",
    "EOFError": _DAMAGED,
    "BadGzipFile": _DAMAGED,
    "error": _DAMAGED,  # zlib's
    "BadZipFile": "不是完整的压缩包（Office 文件也是） / no whole zip file, which Office files are",
    "RecursionError": "嵌套过深 / nested too deep",
    "ValidationError": "内容不合格式 / its content is not of the right form: {error}",
    "DecodeError": "格式有误 / malformed: {error}",
}


def in_words(error: BaseException) -> str:
    """Of the most particular class that has words; its own words, or its name, otherwise."""
    for kind in type(error).__mro__:
        words = _WORDS.get(kind.__name__)
        if words:
            return words.format(error=error)
    return str(error) or type(error).__name__
