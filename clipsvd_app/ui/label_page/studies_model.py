"""Patients, studies and series as a Qt model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt

from clipsvd_app.ui.image_mime import IMAGE_IDS, mime_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.ui.label_page.state import PatientRow

Index = QModelIndex | QPersistentModelIndex
IDS_ROLE = Qt.ItemDataRole.UserRole + 1
KEY_ROLE = Qt.ItemDataRole.UserRole + 2
PROGRESS_ROLE = Qt.ItemDataRole.UserRole + 3
DEPTH_ROLE = Qt.ItemDataRole.UserRole + 4
FLAGS_ROLE = Qt.ItemDataRole.UserRole + 5
FLAGS_TOLD = 5
SERIES_DEPTH = 2
NOWHERE = QModelIndex()
_NO_FLAGS = Qt.ItemFlag.NoItemFlags  # put together once: a view asks for those of every row at each layout
_ROW_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
_LEAF_FLAGS = _ROW_FLAGS | Qt.ItemFlag.ItemNeverHasChildren


@dataclass(slots=True)
class _Node:
    """A row; ``at`` is its own place in the flat list that model indexes point into."""

    at: int
    row: int
    parent: int | None
    key: str
    name: str
    image_ids: tuple[int, ...]
    labelled: int
    depth: int
    children: list[int] = field(default_factory=list)
    flags: tuple[str, ...] = ()


class StudiesModel(QAbstractItemModel):
    """Rows of three depths: 0 patient, 1 study, 2 series.

    Roles: image ids below a row, its key, (labelled, images), depth, sentences on irregular series below it.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._nodes: list[_Node] = []
        self._top: list[int] = []
        self._patients: tuple[PatientRow, ...] = ()

    def set_patients(self, patients: Sequence[PatientRow]) -> None:
        """Show other studies; when only the counts changed, nothing folds or loses its selection."""
        before, self._patients = self._patients, tuple(patients)
        differing = [at for at, (old, new) in enumerate(zip(before, patients, strict=False)) if old != new]
        if len(before) == len(patients) and all(_same_rows(before[at], patients[at]) for at in differing):
            for at in differing:
                self._renew(self._top[at], patients[at])
            return
        self.beginResetModel()
        self._nodes = []
        for row, patient in enumerate(patients):
            self._nodes += _nodes_of(patient, row, len(self._nodes))
        self._top = [node.at for node in self._nodes if node.parent is None]
        self.endResetModel()

    def index_of(self, key: str) -> QModelIndex:
        """Return the index of the row with a key, invalid when there is none."""
        node = next((node for node in self._nodes if node.key == key), None)
        return QModelIndex() if node is None else self.createIndex(node.row, 0, node.at)

    def index(self, row: int, column: int, parent: Index = NOWHERE) -> QModelIndex:
        below = self._below(parent)
        there = column == 0 and 0 <= row < len(below)
        return self.createIndex(row, column, below[row]) if there else QModelIndex()

    def parent(self, child: Index = NOWHERE) -> QModelIndex:  # type: ignore[override]
        above = self._nodes[child.internalId()].parent if child.isValid() else None
        return QModelIndex() if above is None else self.createIndex(self._nodes[above].row, 0, above)

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return len(self._below(parent))

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 - Qt's own
        if not index.isValid():
            return None
        node = self._nodes[index.internalId()]
        if role == Qt.ItemDataRole.DisplayRole:
            return node.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return _told(node)
        return {
            int(IDS_ROLE): node.image_ids,
            int(KEY_ROLE): node.key,
            int(PROGRESS_ROLE): (node.labelled, len(node.image_ids)),
            int(DEPTH_ROLE): node.depth,
            int(FLAGS_ROLE): node.flags,
        }.get(int(role))

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return _NO_FLAGS
        return _LEAF_FLAGS if self._nodes[index.internalId()].depth == SERIES_DEPTH else _ROW_FLAGS

    def mimeTypes(self) -> list[str]:
        return [IMAGE_IDS]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        return mime_of(ids_below(indexes))

    def _below(self, parent: Index) -> list[int]:
        return self._nodes[parent.internalId()].children if parent.isValid() else self._top

    def _renew(self, at: int, patient: PatientRow) -> None:
        """Put new counts into the rows of a patient, and say so."""
        fresh = _nodes_of(patient, self._nodes[at].row, at)
        self._nodes[at : at + len(fresh)] = fresh
        for node in fresh:
            index = self.createIndex(node.row, 0, node.at)
            self.dataChanged.emit(index, index)


def ids_below(indexes: Sequence[QModelIndex]) -> tuple[int, ...]:
    """Return the images of some rows in their order, each once."""
    return tuple(dict.fromkeys(image_id for index in indexes for image_id in index.data(IDS_ROLE)))


def _same_rows(one: PatientRow, other: PatientRow) -> bool:
    """Whether two patients have the same rows of the same names, whatever they count."""
    return _names(one) == _names(other)


def _names(patient: PatientRow) -> list[tuple[str, str]]:
    names = [(patient.key, patient.name)]
    for study in patient.studies:
        names += [(study.key, study.name), *((series.key, series.name) for series in study.series)]
    return names


def _nodes_of(patient: PatientRow, row: int, at: int) -> list[_Node]:
    """Return the rows of a patient; the first of them lies at ``at`` of the flat list."""
    whole = _Node(at, row, None, patient.key, patient.name, (), 0, 0)
    nodes = [whole]
    for study_row, study in enumerate(patient.studies):
        middle = _added(nodes, whole, study_row, study.key, study.name)
        leaves = []
        for series_row, series in enumerate(study.series):
            leaf = _added(nodes, middle, series_row, series.key, series.name)
            leaf.image_ids, leaf.labelled, leaf.flags = series.image_ids, series.labelled, series.flags
            leaves.append(leaf)
        _gather(middle, leaves)
    _gather(whole, [nodes[child - at] for child in whole.children])
    return nodes


def _added(nodes: list[_Node], parent: _Node, row: int, key: str, name: str) -> _Node:
    node = _Node(nodes[0].at + len(nodes), row, parent.at, key, name, (), 0, parent.depth + 1)
    nodes.append(node)
    parent.children.append(node.at)
    return node


def _gather(node: _Node, children: Sequence[_Node]) -> None:
    node.image_ids = tuple(image_id for child in children for image_id in child.image_ids)
    node.labelled = sum(child.labelled for child in children)
    node.flags = tuple(f"{child.name}: {sentence}" for child in children for sentence in child.flags)


def _told(node: _Node) -> str:
    """Return the tooltip of a row."""
    lines = [f"{node.name}: {node.labelled} of {len(node.image_ids)} images labelled"]
    lines += node.flags[:FLAGS_TOLD]
    if len(node.flags) > FLAGS_TOLD:
        lines.append(f"And {len(node.flags) - FLAGS_TOLD} more.")
    return "\n".join(lines)
