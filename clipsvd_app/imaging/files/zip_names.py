"""Names in ZIP archives that do not say how they are encoded, decoded by evidence.

The format knows code page 437 and UTF-8 (APPNOTE appendix D), but programs on Windows write the code page
of their country, and some on macOS do not set the flag of UTF-8. All names of an archive are judged together:
each encoding is scored by how common its letters would be, and a clear winner is taken without a note.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.imaging.files.zip_records import Member

# How much likelier than the next reading the names must be, as a natural logarithm: e^4 is 55 times.
CLEAR = 4.0
# Bytes above ASCII rarely follow the pattern of UTF-8 by chance.
_UTF8_BONUS = 4.0
# Enough evidence; scoring each letter of thousands of names of 64 kB would take minutes.
_PARTS_JUDGED, _LONGEST_JUDGED = 200, 400
_PLAIN_SIGNS = frozenset("0123456789 ._-()")
_EAST_ASIAN_SCRIPTS = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL"})

# Log probabilities of one character. Only their ratios matter: a common letter against a rare sign, a sign of
# another script, and a byte that no text holds.
_ASCII, _ASCII_ABROAD, _USUAL_SIGN, _ODD, _FOREIGN, _IMPOSSIBLE = (
    math.log(p) for p in (1 / 40, 1 / 80, 1e-4, 1e-6, 1e-7, 1e-9)
)
# Log probabilities of two neighbours: scripts mixed in a word, a capital inside one, Latin beside East Asian.
_MIXED, _CAPITAL_INSIDE = math.log(0.02), math.log(0.02)
_BESIDE_CAPITAL, _BESIDE_SMALL = math.log(0.3), math.log(0.03)
_CAPITAL, _AGAIN_CAPITAL = math.log(0.15), math.log(0.5)

_CHINESE = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说"
    "产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使"
    "点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明"
    "看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料"
    "象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指"
    "几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶"
    "油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议"
    "声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影"
    "算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何"
    "除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江良恶瘤肿癌患病灶症像照片肺肝胃肠肾脑骨皮肤"
    "乳腺甲状胸腹膜淋巴炎囊息肉血梗死异健康阴阳疑似诊训练测试磁振超检视网眼底斑痣黑细胞溃疡纤钙液损伤"
    "折脊椎左右侧移未女男龄岁编序医室疗早晚轻核涂镜糖障胶垂瓣房壁腔"
)
_TRADITIONAL = frozenset(
    "的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過子說"
    "產種面而方後多定行學法所民得經十三之進著等部度家電力里如水化高自二理起小物現實加量都兩體制機當使"
    "點從業本去把性好應開它合還因由其些然前外天政四日那社義事平形相全表間樣與關各重新線內數正心反你明"
    "看原又利比或但質氣第向道命此變條只沒結解問意建月公無系軍很情者最立代想已通並提直題程展五果料象員"
    "位入常文總次品式活設及管特件長求老頭基資邊流路級少圖統接知較將組見計別手角期根論運指區強放決被必"
    "先回則任取據處給色光門保治造百規熱口東導器壓良惡瘤腫癌患病灶症像照片肺肝胃腸腎腦骨皮膚乳腺甲狀胸"
    "腹膜淋巴節炎囊息肉血梗死異健康陰陽疑似診斷訓練測試例磁共振超聲檢查視網眼底斑痣黑素細胞潰瘍纖維鈣"
    "積液損傷折脊椎左右側轉移未張女男齡歲編號序醫院科室療術低早晚輕影夾"
)
_JAPANESE = frozenset(
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定"
    "今回新場金員九入選立開手米力学問高代明実円関決子動京全目表戦経通外最言氏現理調体化田当八六約主題"
    "下首意法不来作性的要用制治度務強気小七成期公野協取都和統以機平総加山思家話世受区領多県続進正安設"
    "保改数記院女初北午指権心界支第産結百派点教報済書府活原先共得解名交資予川向際査勝面委告軍文反元重"
    "近千考判認画海参良悪腫瘍癌患病変症像写真肺肝胃腸腎脳骨皮膚乳腺甲状胸腹膜節炎嚢血梗塞死異常健康陰"
    "陽疑診断訓練試験例磁鳴超音波検視網眼底斑黒色素細胞潰線維石灰液損傷折脊椎左右側転移未知他男歳番号"
    "序医科室療術早軽能所位"
)
_KOREAN = frozenset(
    "이다는을의에가고하지를은한로도기사자서어리나인아시대그으있수일과제적정해부전보것스라었주장만상구"
    "여원안게소공동위조성미들우화경관물유생선신치비국내방개거무문계회발실년연작세모민당진학교분음식중"
    "반체양했면재때요오더말결행영심간마산던바금남난법별설후트명용려드약현단점검질병환악종절암염낭폐뇌"
    "골피갑흉복림프출혈색건강훈련험초파김박최윤임권황송홍손배백허노곽차류엄채천함변추맹탁편봉철희준렴"
    "뇨망막저흑포궤섬석액척좌측타녀번호날짜료술등급"
)
# Shares of letters in running text, rounded to groups.
_RUSSIAN = {
    letter: math.log(share)
    for letters, share in (
        ("оеаин", 0.083),
        ("тсрвл", 0.053),
        ("кмдпу", 0.031),
        ("яыьгзбч", 0.016),
        ("йхжшю", 0.009),
        ("цщэф", 0.004),
        ("ъё", 0.0005),
    )
    for letter in letters
}
_GREEK = {
    letter: math.log(share)
    for letters, share in (
        ("αοιετσν", 0.075),
        ("ηυρπκμλς", 0.04),
        ("ωδγχθφβάίόέήξ", 0.015),
        ("ζύώψ", 0.005),
        ("ϊϋΐΰ", 0.0005),
    )
    for letter in letters
}
_CENTRAL = {
    **dict.fromkeys("áéíóöüěčšřžýůúąęłśżőä", math.log(0.004)),
    **dict.fromkeys("ćńźďťňűăâîșțşţđßČŠŽŘŁŚŻÁÉÖÜÚ", math.log(0.0006)),
}
_WESTERN = {
    **dict.fromkeys("éäöüßèáóíñçãåøàêæ", math.log(0.005)),
    **dict.fromkeys("âëìîïòôõùúûÄÖÜÉ", math.log(0.001)),
    **dict.fromkeys("ÀÁÅÆÇÈÑÓØ", math.log(0.0003)),
}


@dataclass(frozen=True, slots=True)
class Names:
    """Decoded names in the order of the members. assumed: how they were read without clear evidence."""

    names: tuple[str, ...]
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class _Encoding:
    codec: str
    title: str
    languages: tuple[Callable[[str], float], ...]


def decode_names(members: Sequence[Member]) -> Names:
    """Decode the names of an archive: by what they say of themselves, the others together by evidence."""
    said = [_said(member) for member in members]
    silent = [member.raw_name for member, name in zip(members, said, strict=True) if name is None]
    if not silent:
        return Names(tuple(name for name in said if name is not None))
    decode, assumed = _reading_of(silent)
    return Names(
        tuple(
            decode(member.raw_name) if name is None else name
            for member, name in zip(members, said, strict=True)
        ),
        assumed,
    )


def _said(member: Member) -> str | None:
    """Return a name that states its encoding truly, None where it has to be guessed."""
    if member.unicode_name:
        return member.unicode_name
    if member.raw_name.isascii():
        return member.raw_name.decode("ascii")
    if member.is_utf8:
        try:
            return member.raw_name.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return None


def _reading_of(names: Sequence[bytes]) -> tuple[Callable[[bytes], str], str]:
    """Return how to decode names, and what that is called where another reading is nearly as likely."""
    every = dict.fromkeys(part for name in names for part in name.split(b"/") if not part.isascii())
    parts = [part for part in every if len(part) <= _LONGEST_JUDGED][:_PARTS_JUDGED] or list(every)[:1]
    scored = sorted(((_score(parts, known), known) for known in _ENCODINGS), key=lambda pair: -pair[0])
    best, chosen = scored[0]
    shown = _decoded(parts, chosen.codec)
    others = (score for score, known in scored[1:] if _decoded(parts, known.codec) != shown)
    is_whole = "\ufffd" not in "".join(_decoded(every, chosen.codec))
    is_clear = is_whole and best - next(others, -math.inf) >= CLEAR
    return functools.partial(_decode, codec=chosen.codec), "" if is_clear else chosen.title


def _decode(name: bytes, codec: str) -> str:
    return name.decode(codec, "replace")


def _decoded(parts: Iterable[bytes], codec: str) -> list[str]:
    return [_decode(part, codec) for part in parts]


def _score(parts: Sequence[bytes], encoding: _Encoding) -> float:
    decoded = _decoded(parts, encoding.codec)
    bonus = _UTF8_BONUS if encoding.codec == "utf-8" else 0.0
    return bonus + max(sum(map(language, decoded)) for language in encoding.languages)


def _of_language(
    usual: Callable[[str], float], ascii_letter: float = _ASCII_ABROAD
) -> Callable[[str], float]:
    """Return the log likelihood of a text: that of each letter, lower where scripts mix within a word."""

    def judge(text: str) -> float:
        total, before = 0.0, ""
        for mark in text:
            if mark.isascii():
                total += ascii_letter if mark.isalpha() else _ASCII if mark in _PLAIN_SIGNS else _USUAL_SIGN
            else:
                total += usual(mark) if mark.isprintable() and mark != "\ufffd" else _IMPOSSIBLE
            total += _between(before, mark)
            before = mark
        return total

    return judge


def _between(before: str, mark: str) -> float:
    """Return the log likelihood of two neighbours: words are of one script and begin with their capitals."""
    capital = mark.isupper() and not mark.isascii()
    if not before.isalpha() or not mark.isalpha():
        return _CAPITAL if capital else 0.0
    one, other = _script(before), _script(mark)
    if one == other:
        return _CAPITAL_INSIDE if capital and before.islower() else _AGAIN_CAPITAL if capital else 0.0
    if {one, other} <= _EAST_ASIAN_SCRIPTS and "HANGUL" not in (one, other):
        return 0.0
    if "LATIN" in (one, other) and _EAST_ASIAN_SCRIPTS & {one, other}:
        return _BESIDE_SMALL if before.islower() or mark.islower() else _BESIDE_CAPITAL
    return _MIXED


@functools.lru_cache(maxsize=4096)
def _script(mark: str) -> str:
    return unicodedata.name(mark, "").split(" ")[0]


def _east_asian(
    common: frozenset[str], codec: str, plain_rows: range, share: float
) -> Callable[[str], float]:
    """Return the log likelihood of a language's letters: common, in its set's main rows, or rare.

    share: the part of a text in the main rows that is not common.
    """
    usual = math.log((0.97 - share) / len(common))
    plain, rare = math.log(share / (94 * len(plain_rows))), math.log(share / 10 / 3500)

    @functools.lru_cache(maxsize=8192)
    def rate(mark: str) -> float:
        if mark in common:
            return usual
        try:
            code = mark.encode(codec)
        except UnicodeEncodeError:
            return _IMPOSSIBLE
        if code[0] in plain_rows:
            return plain
        return rare if mark.isalpha() else _USUAL_SIGN if len(code) == 2 else _ODD

    return rate


def _japanese(mark: str) -> float:
    if "\u3041" <= mark <= "\u30fe":
        return math.log(0.5 / 170)
    if "\uff61" <= mark <= "\uff9f":
        return math.log(0.05 / 63)
    return _KANJI(mark)


def _russian(mark: str) -> float:
    share = _RUSSIAN.get(mark.lower())
    if share is None:
        known = _script(mark) == "CYRILLIC" or mark in "№«»"
        return _USUAL_SIGN if known else _FOREIGN if mark.isalpha() else _ODD
    return share


def _greek(mark: str) -> float:
    share = _GREEK.get(mark.lower())
    return share if share is not None else _FOREIGN if mark.isalpha() else _ODD


def _central(mark: str) -> float:
    if mark in _CENTRAL:
        return _CENTRAL[mark]
    return _ODD if not mark.isalpha() else _USUAL_SIGN if _script(mark) == "LATIN" else _FOREIGN


def _western(mark: str) -> float:
    if mark in _WESTERN:
        return _WESTERN[mark]
    return _ODD if not mark.isalpha() else _USUAL_SIGN if _script(mark) == "LATIN" else _FOREIGN


_KANJI = _east_asian(_JAPANESE, "euc_jp", range(0xB0, 0xD0), 0.25)
_ZH_HANS = _of_language(_east_asian(_CHINESE, "gbk", range(0xB0, 0xD8), 0.25))
_ZH_HANT = _of_language(_east_asian(_TRADITIONAL, "cp950", range(0xA4, 0xC7), 0.3))
_KO = _of_language(_east_asian(_KOREAN, "cp949", range(0xB0, 0xC9), 0.12))
_JA, _RU, _LATIN = _of_language(_japanese), _of_language(_russian), _of_language(_western, _ASCII)

_EL, _CENTRAL_LATIN = _of_language(_greek), _of_language(_central, _ASCII)

_ENCODINGS = (
    _Encoding("utf-8", "UTF-8", (_ZH_HANS, _ZH_HANT, _KO, _JA, _RU, _EL, _LATIN, _CENTRAL_LATIN)),
    _Encoding("gb18030", "Chinese (GBK)", (_ZH_HANS,)),
    _Encoding("cp950", "Chinese (Big5)", (_ZH_HANT,)),
    _Encoding("cp932", "Japanese (Shift_JIS)", (_JA,)),
    _Encoding("cp949", "Korean (EUC-KR)", (_KO,)),
    _Encoding("cp866", "Cyrillic (code page 866)", (_RU,)),
    _Encoding("cp1251", "Cyrillic (Windows-1251)", (_RU,)),
    _Encoding("koi8-r", "Cyrillic (KOI8-R)", (_RU,)),
    _Encoding("cp737", "Greek (code page 737)", (_EL,)),
    _Encoding("cp1253", "Greek (Windows-1253)", (_EL,)),
    _Encoding("cp852", "Central European (code page 852)", (_CENTRAL_LATIN,)),
    _Encoding("cp1250", "Central European (Windows-1250)", (_CENTRAL_LATIN,)),
    _Encoding("cp437", "Western (code page 437)", (_LATIN,)),
    _Encoding("cp850", "Western (code page 850)", (_LATIN,)),
    _Encoding("cp1252", "Western (Windows-1252)", (_LATIN,)),
)
