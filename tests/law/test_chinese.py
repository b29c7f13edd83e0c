"""Every word of the law that a person reads stands in Chinese too, complete, in step with the English, and well set."""

import re
from collections.abc import Iterator

import pytest

from twokey.law.engine.define import Provision, Question
from twokey.law.engine.facts import dictionary
from twokey.law.engine.law import Pack
from twokey.law.source import law

PACKS = sorted(law().packs)
TABLES = ("provisions", "questions", "paragraphs")

# Names, units and terms that stay in Latin letters; everything else of four or more letters is a word to translate.
LATIN = {"DRAM", "ECCN", "IaaS", "OSAT", "SNAP", "TOPS"}
# Answers that are the name of a paragraph need no words.
CITED_ANSWER = re.compile(r"[34]A090(\.[abc](\.\d)?)?")
# A paragraph is a citation where no word is left once its (a), (1), (iii) and (dd) are taken away.
SUBPARAGRAPH = re.compile(r"\((?:[a-z]{1,2}|[A-Z]|[ivx]+|\d+)\)")

HAN = "\u3400-\u9fff"
WIDE = "，。；：？！（）《》、“”"
SLIPS = {
    "half-width punctuation": re.compile(r"[,;!?'\"]|(?<![A-E]):|:(?!\d)|\.(?![A-Za-z0-9])"),
    "a half-width bracket that opens no subparagraph": re.compile(
        r"\((?!(?:[a-z]{1,2}|[A-Z]|[ivx]+|\d+)\))|(?<![a-zA-Z0-9])\)"
    ),
    "a full-width letter or digit": re.compile(r"[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]"),
    "a space beside full-width punctuation": re.compile(rf"\s[{WIDE}]|[{WIDE}]\s"),
    "no space between Chinese and Latin": re.compile(rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9%][{HAN}]"),
    "a space between Chinese characters, doubled or at an end": re.compile(rf"[{HAN}]\s+[{HAN}]|\s\s|^\s|\s$"),
}


def is_citation(paragraph: str) -> bool:
    """Tell "742.6(b)(10) (2022)" from "letter of August 2022"."""
    return re.search(r"[a-z]{2,}", SUBPARAGRAPH.sub("", paragraph)) is None


def wanted(pack: Pack) -> dict[str, set[str]]:
    """Return the names that each table of a pack's zh.toml must have."""
    return {
        "provisions": {one.name for one in pack.provisions.values()},
        "questions": {one.name for one in pack.questions.values()},
        "paragraphs": {one.paragraph for one in pack.provisions.values() if not is_citation(one.paragraph)},
    }


def labels(pack: Pack) -> Iterator[tuple[str, str, str]]:
    """Yield where, English and Chinese of everything in a pack's data files that has words."""
    yield "pack.toml: title", pack.title, pack.title_zh
    for answer, words in pack.answers.items():
        yield f"pack.toml: answers.{answer}", words.get("en", ""), words.get("zh", "")
    for name, parameter in pack.parameters.items():
        yield f"parameters.toml: {name}", parameter.en, parameter.zh
        yield f"parameters.toml: {name}.unset", parameter.unset, parameter.unset_zh
    for name, instrument in pack.instruments.items():
        yield f"instruments.toml: {name}", instrument.title, instrument.title_zh
        yield f"instruments.toml: {name}.note", instrument.note, instrument.note_zh


def everything() -> Iterator[tuple[str, str]]:
    """Yield where and text of every Chinese string of the law."""
    for name, fact in dictionary().items():
        yield f"facts.toml: {name}", fact.zh
    for regime, pack in law().packs.items():
        for where, _, chinese in labels(pack):
            if chinese:
                yield f"{regime} {where}", chinese
        for table in TABLES:
            for name, chinese in pack.words_zh[table].items():
                yield f"{regime} zh.toml: {table}.{name}", chinese


def numbers(text: str) -> set[float]:
    """Return the numbers of a text as plain values: English billions and Chinese 亿 alike, 十 (of "禁令十") as 10."""
    found = re.findall(r"(\d+(?:,\d{3})*(?:\.\d+)?)(?: (billion)| (亿))?", text.replace("十", "10"))
    return {float(digits.replace(",", "")) * (1e9 if billion else 1e8 if yi else 1) for digits, billion, yi in found}


def chinese_of(one: Provision | Question, table: str) -> str:
    return law().packs[one.regime].words_zh[table][one.name]


@pytest.mark.parametrize("regime", PACKS)
def test_each_table_has_every_name_and_no_other(regime: str) -> None:
    pack = law().packs[regime]
    assert set(pack.words_zh) == set(TABLES)
    for table, names in wanted(pack).items():
        assert set(pack.words_zh[table]) == names, table


@pytest.mark.parametrize("regime", PACKS)
def test_whatever_has_english_words_has_chinese_ones(regime: str) -> None:
    half = [where for where, english, chinese in labels(law().packs[regime]) if bool(english) != bool(chinese)]
    assert not half


@pytest.mark.parametrize("regime", PACKS)
def test_every_answer_has_words_or_is_a_paragraph(regime: str) -> None:
    pack = law().packs[regime]
    given = {answer for question in pack.questions.values() for answer in question.answers}
    given |= {answer for headline in pack.headlines for answer in (*headline.clear, *headline.blocked)}
    assert not {answer for answer in given - set(pack.answers) if not CITED_ANSWER.fullmatch(answer)}


def test_every_fact_has_chinese_of_its_own() -> None:
    words = [fact.zh for fact in dictionary().values()]
    assert all(words)
    assert sorted({word for word in words if words.count(word) > 1}) == []


def test_chinese_text_is_chinese() -> None:
    assert [where for where, text in everything() if not re.search(f"[{HAN}]", text)] == []


def test_no_english_word_is_left() -> None:
    left = {where: set(re.findall(r"[A-Za-z]{4,}", text)) - LATIN for where, text in everything()}
    assert {where: words for where, words in left.items() if words} == {}


def test_the_list_of_latin_words_holds_no_word_that_is_not_used() -> None:
    used = {word for _, text in everything() for word in re.findall(r"[A-Za-z]{4,}", text)}
    assert LATIN - used == set()


@pytest.mark.parametrize("slip", SLIPS)
def test_punctuation_is_chinese_throughout(slip: str) -> None:
    assert {where: text for where, text in everything() if SLIPS[slip].search(text)} == {}


def test_brackets_and_quotation_marks_are_closed() -> None:
    pairs = ("（）", "“”", "《》", "()")
    odd = [where for where, text in everything() if any(text.count(a) != text.count(b) for a, b in pairs)]
    assert odd == []


def test_a_provision_ends_as_a_sentence_and_a_question_asks() -> None:
    for one in law().provisions.values():
        text = chinese_of(one, "provisions")
        assert text.endswith("。"), one.key
        assert text.count("。") == 1, one.key
    for question in law().questions.values():
        assert re.search(r"？(（[^（）]+）)?$", chinese_of(question, "questions")), question.key


@pytest.mark.parametrize("table", ["provisions", "questions"])
def test_every_number_of_the_english_stands_in_the_chinese(table: str) -> None:
    ones = law().provisions if table == "provisions" else law().questions
    lost = {key: numbers(one.text) - numbers(chinese_of(one, table)) for key, one in ones.items()}
    assert {key: values for key, values in lost.items() if values} == {}


def test_billions_and_thousands_are_read_alike_in_both_languages() -> None:
    assert numbers("fewer than 30 billion, below 21,000") == numbers("少于 300 亿，低于 21000") == {30e9, 21000}


def test_a_paragraph_keeps_the_numbers_of_its_citation_and_date() -> None:
    for pack in law().packs.values():
        for english, chinese in pack.words_zh["paragraphs"].items():
            assert numbers(english) <= numbers(chinese), english


def test_a_paragraph_holds_no_quotation_marks_because_sentences_put_it_in_them() -> None:
    names = [name for pack in law().packs.values() for name in pack.words_zh["paragraphs"].values()]
    assert not [name for name in names if re.search("[“”]", name)]


@pytest.mark.parametrize(
    ("paragraph", "citation"),
    [
        ("742.6(b)(10)(iii)(A)(1)", True),
        ("740.8 NAC (2023)", True),
        ("744.2-744.4, 744.22", True),
        ("letter of August 2022", False),
        ("Macau or D:5 (destination)", False),
        ("748 Supp. 2 (dd)", False),
    ],
)
def test_a_citation_is_told_from_a_phrase(paragraph: str, citation: bool) -> None:
    assert is_citation(paragraph) is citation


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("不低于 4800,且", "half-width punctuation"),
        ("推定拒绝.", "half-width punctuation"),
        ("澳门(目的地)", "a half-width bracket that opens no subparagraph"),
        ("性能密度５", "a full-width letter or digit"),
        ("拒绝。 但", "a space beside full-width punctuation"),
        ("低于4800", "no space between Chinese and Latin"),
        ("推定 拒绝", "a space between Chinese characters, doubled or at an end"),
    ],
)
def test_each_slip_of_punctuation_is_seen(text: str, slip: str) -> None:
    assert SLIPS[slip].search(text)


@pytest.mark.parametrize(
    "text", ["742.6(b)(10)(iii)：物项", "第 748 部分补编第 2 号 (dd)(1)(vii)", "D:5 国家组", ".a 物项", "超过 50%"]
)
def test_a_citation_in_latin_letters_is_no_slip(text: str) -> None:
    assert not [slip for slip, pattern in SLIPS.items() if pattern.search(text)]
