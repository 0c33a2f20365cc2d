"""The phrases in which explanations speak: packs of them, read, checked and chosen. No torch."""

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
