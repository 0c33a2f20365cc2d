"""What was found out about why a model decides as it does, as it is stored and shown.

Every probability is a fraction from 0 to 1. Logits are after the logit scale. A margin is the logit of the
winning class minus that of the runner-up. Layers and heads count from 0. Fields with defaults came after the
first runs were stored; an empty one says that the analysis was not made.
"""

from __future__ import annotations

from typing import Literal

from clipsvd_app.domain.records import Record
from clipsvd_app.domain.towers import Tower

MapKind = Literal["heads", "gradient", "occlusion"]
PartKind = Literal[
    "embedding",
    "head",
    "head_constant",
    "output_bias",
    "mlp",
    "shift",
    "q",
    "k",
    "v",
    "o",
    "fc1",
    "fc2",
    "class_head",
    "class_bias",
]

ControlCode = Literal[
    "classes_above_chance",
    "class_controls",
    "reference_images",
    "heads_above_chance",
    "head_controls",
    "score_sum",
    "change_sum",
    "concepts_cosine",
    "concept_controls",
    "deletion_heads",
    "deletion_gradient",
    "deletion_occlusion",
    "map_specificity",
]
LARGEST_CONTROL_SHARE = 0.10
"""How much of a list of phrases may be negative controls before it is not believed."""
LARGEST_CHANCE = 0.10
"""How probable it may be that so few negative controls are in a class's list by chance."""
LOWEST_COSINE = 0.6
"""Cosine of an image with its reconstruction from concepts, below which none is shown: the phrases leave out
most of the embedding (1 - 0.6² = 64 % of its squared length)."""
FEWEST_IMAGES, ENOUGH_IMAGES = 32, 64
"""Reference images without which no head is described, and how many are used if available. A ViT-B head has
64 dimensions: fewer images leave its covariance without full rank, 32 without half."""
PERMUTATIONS = 1000
"""Draws with shuffled labels: the chance level of 5 % is then known to about 0.7 points (standard error)."""
ROTATIONS = 60
"""Random rotations of the phrases for the chance level of heads; three lie beyond the 95 % point."""
NULL_DRAWS = 100
"""Draws of random directions for the chance level of directions; five lie beyond the 95 % point."""


class MatrixChange(Record):
    """How much one weight matrix moved: ||W' - W||_F / ||W||_F, both computed from sigma only."""

    name: str
    tower: Tower
    layer: int
    kind: Literal["q", "k", "v", "o", "fc1", "fc2"]
    relative_change: float


class Phrase(Record):
    """A corpus phrase with its score (cosine, concept weight, or share of a head's variance) and its axis."""

    text: str
    score: float
    axis: str = ""


class DirectionChange(Record):
    """One singular direction that adaptation changed, ranked by the change it makes in the output.

    ``effect`` is |sigma' - sigma| times the RMS of the input along the right singular vector.
    Phrases describe the two poles of the output direction; empty where no phrase stands out.
    ``images_towards`` and ``images_against`` are the ids of the reference images whose tokens lie furthest on
    the positive and on the negative side; empty for the text tower.
    """

    matrix: str
    tower: Tower
    layer: int
    index: int
    sigma_base: float
    sigma: float
    effect: float
    positive: tuple[Phrase, ...]
    negative: tuple[Phrase, ...]
    images_towards: tuple[int, ...] = ()
    images_against: tuple[int, ...] = ()
    threshold: float | None = None
    """The cosine that a phrase must exceed, the 95 % point of random directions; None where none is read."""


class HeadReading(Record):
    """What one attention head writes, in words (TextSpan), in one state of the model.

    A phrase's score is the share of the head's variance over the images that it explains; a phrase that does
    not exceed its threshold is not among ``phrases``. ``best`` and ``threshold`` are the score of the first
    candidate and the 95 % point of what randomly rotated phrases reach, whether or not it was exceeded.
    ``is_control`` tells that a negative control came first, which silences the head.
    """

    phrases: tuple[Phrase, ...]
    best: float
    threshold: float
    is_control: bool = False


class HeadChange(Record):
    """One attention head: ||Delta OV||_F / ||OV||_F, and its words before and after adaptation.

    The readings are None for the text tower, and where there are too few images.
    """

    tower: Tower
    layer: int
    head: int
    relative_change: float
    before: HeadReading | None = None
    after: HeadReading | None = None


class ClassReading(Record):
    """Whether one state of the model tells a class from the others by phrases, on images it has not seen.

    ``best`` is what the strongest of all phrases reaches, ``threshold`` the most that it reaches in 95 % of
    draws with shuffled labels (more where there are several classes). Of the ``listed`` strongest phrases
    above it, ten at most (more where controls are rare), ``controls`` are negative; ``by_chance`` is how
    probable no more of them
    are in as many phrases drawn from the corpus. Above 10 % the list is not believed.
    """

    best: float
    threshold: float
    listed: int
    controls: int
    by_chance: float

    @property
    def is_above(self) -> bool:
        """True where something distinguishes the class better than shuffled labels would."""
        return self.best > self.threshold

    @property
    def is_told(self) -> bool:
        """True where descriptions may be shown."""
        return self.is_above and self.by_chance <= LARGEST_CHANCE


class ClassPhrase(Record):
    """A description with its axis, and how much nearer it lies to the class's images than to the others'.

    ``before`` and ``after`` adaptation are differences of mean cosines with the centred phrase.
    """

    text: str
    axis: str
    before: float
    after: float


class ClassChange(Record):
    """By which descriptions the images of one class stand out from the others', before and after adaptation.

    Every image is read by a model that has not seen its patient. ``label`` is the class's index; ``images``
    and ``patients`` are those of the class. ``phrases`` are those that may be shown of either state, the
    strongest after adaptation first.
    """

    label: int
    images: int
    patients: int
    before: ClassReading
    after: ClassReading
    phrases: tuple[ClassPhrase, ...] = ()

    def told_before(self) -> tuple[ClassPhrase, ...]:
        """Return the phrases that may be shown of the unadapted model."""
        reading = self.before
        return tuple(p for p in self.phrases if reading.is_told and p.before > reading.threshold)

    def told_after(self) -> tuple[ClassPhrase, ...]:
        """Return the phrases that may be shown of the adapted model."""
        reading = self.after
        return tuple(p for p in self.phrases if reading.is_told and p.after > reading.threshold)

    def figures(self, phrase: ClassPhrase) -> tuple[str, str]:
        """Return a phrase's scores before and after in words, in brackets where they may not be told."""
        before = f"{phrase.before:+.3f}" if phrase in self.told_before() else f"({phrase.before:+.3f})"
        after = f"{phrase.after:+.3f}" if phrase in self.told_after() else f"({phrase.after:+.3f})"
        return before, after


class Control(Record):
    """One check of an explanation: whether it passed, the figure and its limit."""

    code: ControlCode
    passed: bool
    value: float
    limit: float


class ScorePart(Record):
    """One term: what it adds to the logit of the answer, and to the margin over the runner-up.

    Those of the class head belong to no tower.
    """

    value: float
    margin: float
    kind: PartKind
    tower: Tower | None = "image"
    layer: int | None = None
    head: int | None = None


class Attribution(Record):
    """What adaptation did to the answer's logit: integrated gradients along the change of sigma.

    A class head is fixed on that path; what it changes in the unadapted model, where the path starts, is one
    part.
    ``parts`` sum to ``adapted`` - ``zero_shot`` but for ``residual``; their margins likewise. ``nodes`` is
    how many points of the path were needed.
    """

    zero_shot: float
    adapted: float
    parts: tuple[ScorePart, ...]
    residual: float
    zero_shot_margin: float
    adapted_margin: float
    margin_residual: float
    nodes: int


class DeletionCurve(Record):
    """The margin while more and more of the image is hidden; ``area`` is its mean over the share hidden."""

    shares: tuple[float, ...]
    margins: tuple[float, ...]
    area: float


class CaseMap(Record):
    """One map of an image with its control: hiding in its order beats ten random orders and a centre prior.

    ``grid`` is (rows, columns) of the model's own patches, or of coarser cells for occlusion: what each
    adds to the margin.
    """

    kind: MapKind
    grid: tuple[tuple[float, ...], ...]
    passed: bool
    deletion: DeletionCurve
    random: tuple[DeletionCurve, ...]
    centre: DeletionCurve


class MapSpecificity(Record):
    """Whether the map of the class prompt is its own (1 - correlation of maps, means over prompts).

    ``to_nonsense`` is the distance of the class's map from those of nonsense prompts, ``among_nonsense`` the
    largest that any nonsense prompt has from the others.
    """

    to_nonsense: float
    among_nonsense: float
    prompts: int

    @property
    def is_specific(self) -> bool:
        """True where the class's map is further from nonsense than any nonsense is from the rest."""
        return self.to_nonsense > self.among_nonsense


class CaseExplanation(Record):
    """Why one image got its probabilities, with the control that each statement passed."""

    image_id: int
    class_names: tuple[str, ...]
    adapted: tuple[float, ...]
    zero_shot: tuple[float, ...]
    concepts: tuple[Phrase, ...]
    concepts_cosine: float
    """Cosine of the embedding with its rebuilding from the concepts; below 0.6 none is given."""
    saliency: tuple[tuple[float, ...], ...]
    """The grid of the map that is shown: the first of ``maps`` that passed, else the first."""
    saliency_trusted: bool
    """Hiding patches in this order lowers the score faster than in random orders."""
    winner: int = 0
    """The class whose logit is ``score``: the adapted model's answer."""
    runner_up: int = 0
    score: float = 0.0
    margin: float = 0.0
    decomposition: tuple[ScorePart, ...] = ()
    """The terms of the image tower whose sum is ``score``; empty where the tower has no exact sum."""
    residual: float = 0.0
    """``score`` minus the sum of the terms: rounding, nothing else."""
    margin_residual: float = 0.0
    attribution: Attribution | None = None
    maps: tuple[CaseMap, ...] = ()
    map_passed: bool = False
    map_specificity: MapSpecificity | None = None
    control_share: float = 0.0
    """Share of the concepts' weight that went to negative controls; above 10 % no concept is shown."""
    centre_of_run: bool = False
    """Whether concepts are relative to the mean of the run's images, else to shuffled copies of the image."""
    controls: tuple[Control, ...] = ()
    seconds: float = 0.0
    temperature: float = 1.0
    """What the logits are divided by in ``adapted``; 1 where the adapter is not calibrated."""


class ClassHeadChange(Record):
    """What a class head adds: for each class the length of its offset (texts have length 1) and its bias.

    ``start`` is the method on frozen features that training started the head from.
    """

    start: str
    offsets: tuple[float, ...]
    bias: tuple[float, ...]


class RunExplanation(Record):
    """What adaptation changed in the model, from its singular values."""

    matrices: tuple[MatrixChange, ...]
    directions: tuple[DirectionChange, ...]
    heads: tuple[HeadChange, ...] = ()
    images: int = 0
    """How many reference images the readings rest on."""
    phrases: int = 0
    """How many descriptions of the corpus took part."""
    controls: tuple[Control, ...] = ()
    packs_left_out: tuple[str, ...] = ()
    """Names of packs of phrases that have errors."""
    images_replaced: int = 0
    images_unread: int = 0
    """How many images could not take part: replaced under the same name, or not readable."""
    classes: tuple[ClassChange, ...] = ()
    """Empty where too few patients left nothing unseen to read."""
    class_head: ClassHeadChange | None = None
    """None where only singular values were trained."""
