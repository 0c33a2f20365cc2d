"""The items of two reporting guidelines, in short words of our own, and what a run knows of them.

CLAIM 2024 update (Tejani et al., Radiology: Artificial Intelligence 2024) and TRIPOD+AI (Collins et al., BMJ
2024). Only the numbers are theirs; their texts are to be read there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.cases import FEWEST_TO_CALL_FAR
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.evaluation import learning_curve_text, verdict_sentence
from clipsvd_app.domain.words.notice import NOT_FOR_DIAGNOSIS
from clipsvd_app.domain.words.results import basis_text, split_text, verdict_title
from clipsvd_app.domain.words.trained import start_sentence

if TYPE_CHECKING:
    from clipsvd_app.domain.results.run import RunResult
    from clipsvd_app.services.report.content import ReportContent

NOT_GIVEN = "not given"
Item = tuple[str, str, str]
"""Number, topic, and the key of what is known ("" where the program cannot know)."""

CLAIM_2024: tuple[Item, ...] = (
    ("1", "Title names the kind of AI", "method"),
    ("2", "Structured abstract", ""),
    ("3", "Background and intended role", ""),
    ("4", "Aims and hypotheses", ""),
    ("5", "Prospective or retrospective", ""),
    ("6", "Goal of the study", "goal"),
    ("7", "Sources of the data", ""),
    ("8", "Who was included and excluded", ""),
    ("9", "Preprocessing", "preprocessing"),
    ("10", "Selected parts of the data", "regions"),
    ("11", "De-identification", "identity"),
    ("12", "Missing data", "missing"),
    ("13", "How images were acquired", ""),
    ("14", "What the reference standard is", ""),
    ("15", "Why this reference standard", ""),
    ("16", "Who annotated", "labels"),
    ("17", "Annotation of the test set", "test_labels"),
    ("18", "Agreement between readers", ""),
    ("19", "How data were split", "split"),
    ("20", "Level at which parts are disjoint", "disjoint"),
    ("21", "Planned size of the sample", ""),
    ("22", "The model", "model"),
    ("23", "Software", "software"),
    ("24", "Starting values", "initial"),
    ("25", "Training", "training"),
    ("26", "Choice of the final model", "selection"),
    ("27", "Ensembles", "ensemble"),
    ("28", "Measures of performance", "measures"),
    ("29", "Uncertainty and significance", "uncertainty"),
    ("30", "Robustness", ""),
    ("31", "Explanations", "explanations"),
    ("32", "Testing on internal data", "estimate"),
    ("33", "Testing on external data", ""),
    ("34", "Registration of a trial", ""),
    ("35", "Numbers included", "numbers"),
    ("36", "Demographic and clinical traits", ""),
    ("37", "Performance with uncertainty", "result"),
    ("38", "Diagnostic accuracy with precision", "per_class"),
    ("39", "Errors", "failures"),
    ("40", "Limitations", "limits"),
    ("41", "Meaning for practice", "use"),
    ("42", "Where the protocol is", ""),
    ("43", "Availability of software, model, data", "availability"),
    ("44", "Funding", ""),
)

TRIPOD_AI: tuple[Item, ...] = (
    ("1", "Title", "method"),
    ("2", "Abstract", ""),
    ("3a", "Context in health care", ""),
    ("3b", "Target population and users", ""),
    ("3c", "Known inequalities", ""),
    ("4", "Objectives", ""),
    ("5a", "Sources of the data", ""),
    ("5b", "Dates of the data", ""),
    ("6a", "Setting", ""),
    ("6b", "Who was eligible", ""),
    ("6c", "Treatments", ""),
    ("7", "Preparation of the data", "preprocessing"),
    ("8a", "Outcome", "goal"),
    ("8b", "Who judged the outcome", "labels"),
    ("8c", "Blinding of that judgement", ""),
    ("9a", "Choice of predictors", "predictors"),
    ("9b", "Definition of predictors", "predictors"),
    ("9c", "Who assessed predictors", ""),
    ("10", "Size of the sample", ""),
    ("11", "Missing data", "missing"),
    ("12a", "Use of the data", "split"),
    ("12b", "Handling of predictors", "preprocessing"),
    ("12c", "Kind of model and how it was built", "training"),
    ("12d", "Differences between clusters", ""),
    ("12e", "Measures of performance", "measures"),
    ("12f", "Updating", ""),
    ("12g", "How predictions were computed", "initial"),
    ("13", "Imbalance of classes", "imbalance"),
    ("14", "Fairness", ""),
    ("15", "Output of the model", "output"),
    ("16", "Training against evaluation data", "disjoint"),
    ("17", "Ethical approval", ""),
    ("18a", "Funding", ""),
    ("18b", "Conflicts of interest", ""),
    ("18c", "Protocol", ""),
    ("18d", "Registration", ""),
    ("18e", "Sharing of data", ""),
    ("18f", "Sharing of code", "availability"),
    ("19", "Involvement of patients", ""),
    ("20a", "Flow of participants", "numbers"),
    ("20b", "Traits of participants", ""),
    ("20c", "Comparison of training and evaluation data", ""),
    ("21", "Participants in each analysis", "estimate"),
    ("22", "The whole model", "model"),
    ("23a", "Performance with intervals", "result"),
    ("23b", "Differences between clusters", ""),
    ("24", "Results of updating", ""),
    ("25", "Interpretation", ""),
    ("26", "Limitations", "limits"),
    ("27a", "Poor or missing input", "doubts"),
    ("27b", "Interaction and skill of users", "use"),
    ("27c", "Next steps", "more"),
)


def answered(items: tuple[Item, ...], content: ReportContent) -> tuple[tuple[str, str, str], ...]:
    """Return (number, topic, what is known of it) for every item."""
    known = answers(content)
    return tuple((number, topic, known.get(key, "") or NOT_GIVEN) for number, topic, key in items)


def answers(content: ReportContent) -> dict[str, str]:
    """Return what is known, by key; an empty text where this run does not say."""
    result, recipe, evaluation = content.result, content.recipe, content.result.evaluation
    curve, head = evaluation.learning_curve, result.head_parameters
    return {
        "method": "Few-shot adaptation of a vision-language model by its singular values (CLIP-SVD).",
        "goal": f"Classification of images: {', '.join(result.class_names)}.",
        "preprocessing": "Display window applied, padded to a square, resized to the model's input size.",
        "regions": f"{counted(content.regions, 'image')} cropped to a manually drawn region."
        if content.regions
        else "Whole images.",
        "identity": "The program stores no names, IDs or dates; this report contains none.",
        "missing": "Unlabelled images were not used; unreadable images are listed under limitations.",
        "labels": "The user of the program; one class per image.",
        "test_labels": "The same labels as for training.",
        "split": split_text(evaluation),
        "disjoint": "Patient: no patient is in both training and test." if evaluation.kind != "none" else "",
        "model": f"{counted(result.matrices, 'weight matrix', 'weight matrices')} W = U diag(s) V^T"
        f" of both encoders; only s is trained ({result.trainable_parameters - head:,} numbers)"
        + (f", and a class head beside it ({head:,} numbers)." if head else "."),
        "software": f"CLIP-SVD Studio {content.version}.",
        "initial": f"Backbone “{content.backbone}”, SHA-256 of its tensors {result.backbone_sha256}."
        f" {start_sentence(result)}",
        "training": f"Preset “{recipe.preset}”: {counted(recipe.steps, 'step')} of "
        f"{counted(recipe.batch_size, 'image')}, AdamW, peak learning rate "
        f"{result.learning_rate:g}, seed {result.seed}.",
        "selection": _selection(result),
        "ensemble": f"The mean of {recipe.seeds} fits." if recipe.seeds > 1 else "None.",
        "measures": "Balanced accuracy, accuracy, macro AUROC, sensitivity, specificity, Brier score, NLL.",
        "uncertainty": "95 % confidence intervals: Wilson for proportions, adjusted for several"
        " images per patient; otherwise bootstrap over patients.",
        "explanations": "Amount of change; phrases for classes, heads and directions that passed"
        " their controls.",
        "estimate": basis_text(evaluation),
        "numbers": f"{counted(content.patients, 'patient')}, {counted(content.images, 'image')}, "
        f"{content.labelled:,} labelled.",
        "result": f"{verdict_title(evaluation)}. {verdict_sentence(evaluation)}".strip()
        if evaluation.methods
        else "",
        "per_class": "Table of sensitivity and specificity." if evaluation.methods else "",
        "failures": f"{counted(content.errors, 'error')} on unseen patients; confusion matrix.",
        "limits": "Section “Limitations”.",
        "use": f"Research and teaching, by people who can interpret the images. {NOT_FOR_DIAGNOSIS}",
        "availability": "The program is open source (Apache-2.0); the model is one adapter file.",
        "predictors": "The image only.",
        "imbalance": "Training samples classes equally; accuracy is balanced over classes.",
        "output": "A probability for each class; the prediction is the largest.",
        "doubts": "Images unlike the training images are flagged."
        if result.train_patients >= FEWEST_TO_CALL_FAR
        else "",
        "more": learning_curve_text(curve) if curve is not None else "",
    }


def _selection(result: RunResult) -> str:
    """Say how the final model was chosen."""
    if not result.choice_folds:
        return "Nothing was chosen; the model of the last step."
    folds = counted(result.choice_folds, "fold")
    return (
        f"How much of the trained change to keep, by log loss on {folds} by patient within the training"
        " images; of each fit the model of the last step."
    )
