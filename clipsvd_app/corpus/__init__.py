"""The phrases of explanations: packs of them, read, checked and selected. No torch."""

from clipsvd_app.corpus.checking import PackReport, check_pack
from clipsvd_app.corpus.class_names import without_class_names
from clipsvd_app.corpus.packs import Corpus, load_corpus, read_pack, user_folder
from clipsvd_app.corpus.phrases import AXES, COLUMNS, CONTROL, DIAGNOSIS, MODALITIES, CorpusPhrase

__all__ = [
    "AXES",
    "COLUMNS",
    "CONTROL",
    "DIAGNOSIS",
    "MODALITIES",
    "Corpus",
    "CorpusPhrase",
    "PackReport",
    "check_pack",
    "load_corpus",
    "read_pack",
    "user_folder",
    "without_class_names",
]
