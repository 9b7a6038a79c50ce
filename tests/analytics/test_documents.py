"""文件: PDF and OOXML with properties and pictures, rare strings, slips; strangers' files do no
harm.
"""

import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, ByteStringObject

from analytics.document import read_document
from analytics.dossier import read_dossier, read_dossiers
from analytics.finding import Finding
from analytics.likeness import likeness
from analytics.reading import Home, read_apart
from evaluation.paper import Note, Paper, Part, typeset
from trading.kernel.errors import InputUnusable
from trading.kernel.instant import SystemClock

CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dcterms="http://purl.org/dc/terms/"><dc:creator>{author}</dc:creator>'
    "<dcterms:created>{created}</dcterms:created></cp:coreProperties>"
)
APP = (
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/'
    'extended-properties"><Company>{company}</Company></Properties>'
)
WORD = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    "{paragraphs}</w:body></w:document>"
)


def a_picture(shade: int) -> bytes:
    out = io.BytesIO()
    image = Image.new("L", (120, 120))
    image.putdata([(n * n * 31 + shade * n) % 251 for n in range(120 * 120)])
    image.save(out, "BMP")
    return out.getvalue()


def docx(path: Path, *texts: str, picture: bytes = b"", **properties: str) -> None:
    paragraphs = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in texts)
    known = {"author": "", "created": "", "company": ""} | properties
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", WORD.format(paragraphs=paragraphs))
        archive.writestr("docProps/core.xml", CORE.format(**known))
        archive.writestr("docProps/app.xml", APP.format(**known))
        if picture:
            archive.writestr("word/media/image1.png", picture)


def pdf(path: Path, text: str, identifier: bytes = b"", author: str = "") -> None:
    paper = Paper(
        title="投标文件",
        subtitle="技术标",
        issuer=author or "某公司",
        at=SystemClock().read().at,
        parts=(Part("方案", (Note(text),)),),
    )
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(typeset(paper))))
    if identifier:
        writer._ID = ArrayObject([ByteStringObject(identifier), ByteStringObject(b"second")])
    writer.write(path)


def bidders(folder: Path, *names: str) -> list[Path]:
    made = [folder / name for name in names]
    for home in made:
        home.mkdir()
    return made


def found(folder: Path) -> list[Finding]:
    return likeness(*read_dossiers([folder]))


def test_a_pdf_gives_its_text_properties_and_identifier(tmp_path: Path) -> None:
    path = tmp_path / "one.pdf"
    pdf(path, "深基坑支护采用桩锚体系并逐层监测位移", b"\x01" * 16, "甲公司")
    document = read_document(path)
    assert document is not None
    assert "桩锚体系" in "".join("".join(document.paragraphs).split())
    assert document.properties["author"] == "甲公司"
    assert document.properties["identifier"] == "01" * 16


def test_one_file_identifier_is_a_clue_unless_the_tender_gave_it(tmp_path: Path) -> None:
    one, other, third = bidders(tmp_path, "甲", "乙", "丙")
    pdf(one / "标书.pdf", "甲的方案", b"\x02" * 16)
    pdf(other / "标书.pdf", "乙的方案", b"\x02" * 16)
    pdf(third / "标书.pdf", "丙的方案", b"\x03" * 16)
    kinds = {finding.kind: {finding.first, finding.second} for finding in found(tmp_path)}
    assert kinds["identifier"] == {"甲", "乙"}
    (tmp_path / "tender").mkdir()
    pdf(tmp_path / "tender" / "格式.pdf", "格式", b"\x02" * 16)
    assert "identifier" not in {finding.kind for finding in found(tmp_path)}


def test_properties_and_pictures_of_word_files(tmp_path: Path) -> None:
    one, other, third, fourth = bidders(tmp_path, "甲", "乙", "丙", "丁")
    common, logo = a_picture(1), a_picture(2)
    same = {"created": "2026-03-01T08:15:30Z", "company": "丙方咨询"}
    docx(one / "a.docx", "甲的方案", picture=common, **same)
    docx(other / "b.docx", "乙的方案", picture=common, **same)
    docx(third / "c.docx", "丙的方案", picture=logo, created="2026-03-02T09:00:00Z")
    docx(fourth / "d.docx", "丁的方案", picture=a_picture(3))
    told = found(tmp_path)
    assert {one.kind for one in told} == {"created", "company", "picture"}
    assert {frozenset((one.first, one.second)) for one in told} == {frozenset(("甲", "乙"))}
    picture = next(one for one in told if one.kind == "picture")
    assert "word/media/image1.png" in picture.where_first


def test_a_shared_number_is_a_clue_and_the_agents_is_none(tmp_path: Path) -> None:
    one, other, third, tender = bidders(tmp_path, "甲", "乙", "丙", "tender")
    (tender / "公告.txt").write_text("代理机构电话 13900000000", "utf-8")
    for home, number in ((one, "13812345678"), (other, "13812345678"), (third, "13700000001")):
        (home / "联系.txt").write_text(f"联系人电话：{number}；代理 13900000000", "utf-8")
    (finding,) = found(tmp_path)
    assert finding.kind == "contact"
    assert "13812345678" in finding.where_first
    assert {finding.first, finding.second} == {"甲", "乙"}


FORM = "投标人承诺严格遵守招标文件规定的各项要求并按期完成全部工作内容。"
TERMS = "本项目质量标准为合格工期一百二十日历天安全文明施工达到省级标准。"


def test_slips_in_copying_the_tender_are_clues_and_filled_blanks_are_none(tmp_path: Path) -> None:
    one, other, third, tender = bidders(tmp_path, "甲", "乙", "丙", "tender")
    (tender / "格式.txt").write_text(f"{FORM}\n{TERMS}\n投标日期：____年__月__日签字____", "utf-8")
    wrong = f"{FORM.replace('严格', '严各')}\n{TERMS.replace('文明', '文名')}"
    for home, text in ((one, wrong), (other, wrong), (third, f"{FORM}\n{TERMS}")):
        blank = "投标日期：2026年3月1日签字王一"
        (home / "函.txt").write_text(f"{text}\n{blank}", "utf-8")
    (finding,) = found(tmp_path)
    assert finding.kind == "shared-errors"
    assert {finding.first, finding.second} == {"甲", "乙"}
    assert "严各" in finding.where_first


HOSTILE = {
    "bomb.docx": lambda: _zip("word/document.xml", b"<w>" + bytes(80 << 20)),
    "cut.docx": lambda: b"PK\x03\x04" + bytes(30),
    "entity.docx": lambda: _zip("word/document.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
    "empty.pdf": lambda: b"",
    "cut.pdf": lambda: b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R",
    "lying.pdf": lambda: b"%PDF-1.7\ntrailer << /Root 1 0 R /Size 99999999 >>\nstartxref\n9\n%%EOF",
}


def _zip(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_and_named_without_stopping_the_rest(
    name: str, tmp_path: Path
) -> None:
    home = tmp_path / "甲"
    home.mkdir()
    (home / name).write_bytes(HOSTILE[name]())
    (home / "好.txt").write_text("可以读的一段文字，足够长。", "utf-8")
    with pytest.raises(InputUnusable):
        read_dossier(home, "甲")
    dossier = read_dossier(home, "甲", lenient=True)
    assert len(dossier.unread) == 1
    assert name in dossier.unread[0]
    assert [passage.file for passage in dossier.passages] == ["好.txt"]


def test_a_bill_is_its_bidders_whatever_it_says(tmp_path: Path) -> None:
    home = tmp_path / "甲"
    home.mkdir()
    line = {"code": "1", "name": "土方", "unit": "m3", "quantity": "1", "price": "2", "amount": "2"}
    bill = {"bidder": "乙", "sections": [{"name": "分部分项", "lines": [line]}]}
    (home / "bill.json").write_text(json.dumps(bill), "utf-8")
    dossier = read_dossier(home, "甲")
    assert dossier.bill is not None
    assert dossier.bill.bidder == "甲"


def three_homes(folder: Path) -> list[Home]:
    """甲 and 乙 share a machine, 甲 and 丙 their words."""
    homes = []
    words = [f"{n}。本工程深基坑支护采用桩锚体系{chr(0x5E00 + n) * 9}并逐层监测" for n in range(30)]
    for name, machine in (("甲", "m"), ("乙", "m"), ("丙", "n")):
        home = folder / name
        home.mkdir()
        (home / "maker.json").write_text(json.dumps({"machine": machine}), "utf-8")
        own = words if name != "乙" else [f"{n}。{chr(0x6E00 + n) * 40}" for n in range(30)]
        (home / "方案.txt").write_text("\n".join(own), "utf-8")
        homes.append(Home(str(home), name, name))
    return homes


def test_a_bidder_whose_files_take_too_long_hides_nothing_but_its_own_words(tmp_path: Path) -> None:
    """The control: without them, nothing is unread and the same is found."""
    homes = three_homes(tmp_path)
    found = read_apart(tmp_path, homes, seconds=12)
    assert ({one.kind for one in found.matches}, found.unread) == ({"machine", "text"}, ())
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    for number in range(6):
        with zipfile.ZipFile(tmp_path / "乙" / f"{number}.docx", "w", zipfile.ZIP_DEFLATED) as made:
            body = f'<w:document xmlns:w="{word}">' + "<w:p/>" * 9_000_000 + "</w:document>"
            made.writestr("word/document.xml", body)
    slow = read_apart(tmp_path, homes, seconds=12)
    assert {one.kind for one in slow.matches} == {"machine", "text"}
    assert [line.split(" ")[0] for line in slow.unread] == ["乙"]
    assert "读取超限" in slow.unread[0]


def test_too_much_text_is_named_and_not_compared(tmp_path: Path) -> None:
    homes = three_homes(tmp_path)
    (tmp_path / "丙" / "more.txt").write_text("一\n" * 100_001, "utf-8")
    found = read_apart(tmp_path, homes)
    assert {one.kind for one in found.matches} == {"machine"}
    assert ["文字过多" in line for line in found.unread] == [True]


def test_the_record_of_one_envelope_does_not_hide_that_of_the_other(tmp_path: Path) -> None:
    for name, technical in (("甲", "{}"), ("乙", '{"machine": "other"}')):
        for stage, record in (("stage-1", technical), ("stage-2", '{"machine": "m"}')):
            (tmp_path / name / stage).mkdir(parents=True)
            (tmp_path / name / stage / "maker.json").write_text(record, "utf-8")
    homes = [Home(str(tmp_path / name), name, name) for name in ("甲", "乙")]
    assert [one.kind for one in read_apart(tmp_path, homes).matches] == ["machine"]
