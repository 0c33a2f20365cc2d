"""Patients, studies and series as a Qt model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.kit.image_mime import IMAGE_IDS, mime_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from clipsvd_app.ui.label.state import PatientRow, SeriesFacts

Index = QModelIndex | QPersistentModelIndex
IDS_ROLE = Qt.ItemDataRole.UserRole + 1
KEY_ROLE = Qt.ItemDataRole.UserRole + 2
PROGRESS_ROLE = Qt.ItemDataRole.UserRole + 3
DEPTH_ROLE = Qt.ItemDataRole.UserRole + 4
FLAGS_ROLE = Qt.ItemDataRole.UserRole + 5
FLAGS_TOLD = 5
NOWHERE = QModelIndex()
SERIES_DEPTH = 2
_NO_FLAGS = Qt.ItemFlag.NoItemFlags  # put together once: a view asks for those of every row at each layout
_ROW_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
_LEAF_FLAGS = _ROW_FLAGS | Qt.ItemFlag.ItemNeverHasChildren
COLUMNS = ("Patient", "Date", "Modality", "Description")
NAME, DATE, MODALITY, DESCRIPTION = range(len(COLUMNS))


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
    facts: tuple[str, str, str] = ("", "", "")


class StudiesModel(QAbstractItemModel):
    """Rows of three depths: 0 patient, 1 study, 2 series.

    Roles: image ids below a row, its key, (labelled, images), depth, sentences on irregular series below it.
    Columns: name, and what the files at hand say: date, modality, description.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._nodes: list[_Node] = []
        self._top: list[int] = []
        self._firsts: list[int] = []  # of the patients, however the rows are sorted
        self._patients: tuple[PatientRow, ...] = ()
        self._leaf_of: dict[int, int] = {}
        self._at_of: dict[str, int] = {}
        self._facts: dict[str, SeriesFacts] = {}
        self._sorted_by, self._descending = NAME, False

    def set_patients(self, patients: Sequence[PatientRow]) -> None:
        """Show other studies; when only the counts changed, nothing folds or loses its selection."""
        before, self._patients = self._patients, tuple(patients)
        differing = [
            at
            for at, (old, new) in enumerate(zip(before, patients, strict=False))
            if old is not new and old != new
        ]
        if len(before) == len(patients) and all(_same_rows(before[at], patients[at]) for at in differing):
            for at in differing:
                self._renew(self._firsts[at], patients[at])
            return
        self.beginResetModel()
        self._nodes = []
        for row, patient in enumerate(patients):
            self._nodes += _nodes_of(patient, row, len(self._nodes))
        self._firsts = [node.at for node in self._nodes if node.parent is None]
        self._leaf_of = _leaves(self._nodes)
        self._at_of = {node.key: node.at for node in self._nodes}
        self._fill(self._nodes)
        self._arrange()
        self.endResetModel()

    def set_facts(self, facts: Mapping[str, SeriesFacts]) -> None:
        """Show what files say of series, by the keys of their rows."""
        self._facts |= facts
        leaves = [self._nodes[self._at_of[key]] for key in facts if key in self._at_of]
        told = {node.at: node for leaf in leaves for node in self._up_from(leaf)}
        self._fill([told[at] for at in sorted(told)])
        if self._sorted_by != NAME:
            self.sort(self._sorted_by, _order_of(self._descending))
        else:
            for node in told.values():
                self._tell(node)

    def forget_facts(self) -> None:
        """Drop what files said: other files are looked at now."""
        self._facts.clear()
        for node in self._nodes:
            node.facts = ("", "", "")
        if self._top:
            self.dataChanged.emit(self.index(0, NAME), self.index(len(self._top) - 1, DESCRIPTION))

    def unread_below(self, index: Index) -> list[tuple[str, int]]:
        """Return (key, an image) of the first unread series of each study at or below a row."""
        node = self._nodes[index.internalId()]
        if node.depth == 0:
            firsts = [self._nodes[self._nodes[study].children[0]] for study in node.children]
        else:
            firsts = [self._nodes[node.children[0]] if node.depth == 1 else node]
        return [(leaf.key, leaf.image_ids[0]) for leaf in firsts if leaf.key not in self._facts]

    def series_of(self, image_id: int) -> QModelIndex:
        """Return the row of the series that an image is in."""
        at = self._leaf_of.get(image_id)
        return QModelIndex() if at is None else self.createIndex(self._nodes[at].row, 0, at)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order rows among their siblings; what files say nothing of stands last."""
        self._sorted_by, self._descending = column, order == Qt.SortOrder.DescendingOrder
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        self._arrange(fresh=False)
        after = [
            self.createIndex(self._nodes[i.internalId()].row, i.column(), i.internalId()) for i in before
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def index_of(self, key: str) -> QModelIndex:
        """Return the index of the row with a key, invalid when there is none."""
        at = self._at_of.get(key)
        return QModelIndex() if at is None else self.createIndex(self._nodes[at].row, 0, at)

    def index(self, row: int, column: int, parent: Index = NOWHERE) -> QModelIndex:
        below = self._below(parent)
        there = 0 <= column < len(COLUMNS) and 0 <= row < len(below)
        return self.createIndex(row, column, below[row]) if there else QModelIndex()

    def parent(self, child: Index = NOWHERE) -> QModelIndex:  # type: ignore[override]
        above = self._nodes[child.internalId()].parent if child.isValid() else None
        return QModelIndex() if above is None else self.createIndex(self._nodes[above].row, 0, above)

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.column() > 0 else len(self._below(parent))

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:  # noqa: ANN401 - Qt's own
        shown = role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal
        return COLUMNS[section] if shown and section < len(COLUMNS) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 - Qt's own
        if not index.isValid():
            return None
        node = self._nodes[index.internalId()]
        if role == Qt.ItemDataRole.DisplayRole:
            return node.name if index.column() == NAME else node.facts[index.column() - 1]
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
        for old, node in zip(self._nodes[at : at + len(fresh)], fresh, strict=True):
            node.row, node.children, node.facts = old.row, old.children, old.facts
        self._nodes[at : at + len(fresh)] = fresh
        self._leaf_of |= _leaves(fresh)
        for node in fresh:
            self._tell(node)

    def _tell(self, node: _Node) -> None:
        last = len(COLUMNS) - 1
        self.dataChanged.emit(
            self.createIndex(node.row, 0, node.at), self.createIndex(node.row, last, node.at)
        )

    def _up_from(self, node: _Node) -> Iterator[_Node]:
        """Yield a row and those above it."""
        above: _Node | None = node
        while above is not None:
            yield above
            above = None if above.parent is None else self._nodes[above.parent]

    def _fill(self, nodes: Sequence[_Node]) -> None:
        """Say on these rows what is known of the series below them; parents come before their children."""
        for node in reversed(nodes if self._facts else ()):
            if not node.children:
                said = self._facts.get(node.key)
                node.facts = ("", "", "") if said is None else (said.date, said.modality, said.series)
                continue
            children = [self._nodes[at] for at in node.children]
            dates = [child.facts[0] for child in children if child.facts[0]]
            kinds = dict.fromkeys(kind for child in children for kind in child.facts[1].split(", ") if kind)
            study = self._facts.get(children[0].key) if node.depth == 1 else None
            words = study.study if study is not None else children[0].facts[2] if len(children) == 1 else ""
            node.facts = (max(dates, default=""), ", ".join(kinds), words)

    def _arrange(self, *, fresh: bool = True) -> None:
        """Put siblings into the order asked for; they come in that of their names."""
        if fresh and self._sorted_by == NAME and not self._descending:
            self._top = [node.at for node in self._nodes if node.parent is None]
            return
        self._top = self._in_order(node.at for node in self._nodes if node.parent is None)
        for node in self._nodes:
            node.children = self._in_order(node.children)

    def _in_order(self, siblings: Iterable[int]) -> list[int]:
        ordered = sorted(siblings, reverse=self._descending and self._sorted_by == NAME)
        if self._sorted_by != NAME:
            ordered.sort(
                key=lambda at: self._nodes[at].facts[self._sorted_by - 1].casefold(), reverse=self._descending
            )
            ordered.sort(key=lambda at: not self._nodes[at].facts[self._sorted_by - 1])
        for row, at in enumerate(ordered):
            self._nodes[at].row = row
        return ordered


def _order_of(descending: bool) -> Qt.SortOrder:
    return Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder


def _leaves(nodes: Sequence[_Node]) -> dict[int, int]:
    return {image_id: node.at for node in nodes if not node.children for image_id in node.image_ids}


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
    lines = [f"{node.name}: {node.labelled:,} of {counted(len(node.image_ids), 'image')} labelled"]
    lines += [" · ".join(said for said in node.facts if said)] if any(node.facts) else []
    lines += node.flags[:FLAGS_TOLD]
    if len(node.flags) > FLAGS_TOLD:
        lines.append(f"And {len(node.flags) - FLAGS_TOLD:,} more.")
    return "\n".join(lines)
