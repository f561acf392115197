"""From an attempt to a verdict, and from a photograph to a template.

How an attempt is decided. The first of these that holds stops the rest, because what follows could not be measured:

1. The frames do not carry the labels that were asked for, in their order, one block each, neutral first: **fail**
   (`wrong_frames`; `neutral_missing` where there is no neutral frame at all).
2. A file that is no picture, or that is broken: **fail** with the name of what is wrong, if it leaves too few frames.
3. Too few neutral frames are good: **fail**, with the faults that stood in the way most often, and their advice.

Then everything is measured, and the gravest finding decides:

- An action was not seen: **fail** (`action_not_seen`; `nothing_moved` beside it where no action was seen and the shape of
  the face never changed, as a photograph in front of the camera).
- The frames of an action show somebody else than the neutral ones: **fail** (`different_people`); where that is not
  certain, **review** (`same_people_doubtful`).
- The neutral frames are of another person than the templates: **fail** (`different_person`); where that is not certain,
  **review** (`match_doubtful`).
- There is no template (`not_enrolled`), or none made by the network of today (`model_changed`): **review**.
- No action was asked of somebody who cannot do any: **review** at best (`no_actions_asked`).
- Cues of a picture of a picture: each alone **review** (`screen_suspected`, `flat_face`), two of different physics **fail**
  (`presentation_attack`); the rule stands in `faces.presentation`.
- Otherwise: **pass**.
"""

from __future__ import annotations

import enum
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median

from faces import actions as acting
from faces import engine, presentation, quality, reasons
from faces.actions import ACTIONS, NEUTRAL, ActionSeen, Baseline
from faces.cohort import Cohort
from faces.decode import ImageRefused, decode
from faces.encoder import encoder, unit
from faces.engine import Face
from faces.match import Decision, Match, distance, match
from faces.policy import DEFAULT_POLICY, Policy
from faces.quality import Quality
from faces.template import Template

Figures = dict[str, float | dict[str, float]]


class Verdict(enum.StrEnum):
    """What follows: a certificate, a person's look, or another try."""

    PASS = "pass"
    REVIEW = "review"
    FAIL = "fail"


FAILS = frozenset(
    {
        reasons.IMAGE_TOO_LARGE,
        reasons.NOT_AN_IMAGE,
        reasons.TOO_MANY_PIXELS,
        reasons.IMAGE_BROKEN,
        reasons.NO_FACE,
        reasons.SEVERAL_FACES,
        reasons.FACE_TOO_SMALL,
        reasons.TOO_DARK,
        reasons.TOO_BRIGHT,
        reasons.BLURRED,
        reasons.TURNED_AWAY,
        reasons.EYES_COVERED,
        reasons.WRONG_FRAMES,
        reasons.NEUTRAL_MISSING,
        reasons.NOTHING_MOVED,
        reasons.ACTION_NOT_SEEN,
        reasons.DIFFERENT_PEOPLE,
        reasons.DIFFERENT_PERSON,
        reasons.PRESENTATION_ATTACK,
    }
)
REVIEWS = frozenset(reasons.REASONS) - FAILS


@dataclass(frozen=True)
class LabelledFrame:
    """One upload of an attempt and what the person was asked to do: "neutral" or one of `ACTIONS`."""

    action: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Result:
    """What became of an attempt. Everything but `template` may be stored and shown to staff: numbers, never pixels."""

    verdict: Verdict
    reasons: tuple[str, ...]
    figures: Figures
    actions: tuple[ActionSeen, ...]
    match: Match | None
    template: Template | None
    milliseconds: int

    @property
    def advice(self) -> tuple[str, ...]:
        """A sentence for each reason that led to the verdict: whoever may try again is not told to wait for a person."""
        leading = FAILS if self.verdict is Verdict.FAIL else REVIEWS
        return tuple(reasons.REASONS[code].advice_zh for code in self.reasons if code in leading)


@dataclass(frozen=True)
class Enrolment:
    """What became of a reference photo: a template, or the reasons why there is none."""

    template: Template | None
    reasons: tuple[str, ...]
    figures: dict[str, float]


def verdict_of(found: Sequence[str]) -> Verdict:
    """The gravest of the named reasons decides; none is a pass."""
    if FAILS.intersection(found):
        return Verdict.FAIL
    return Verdict.REVIEW if found else Verdict.PASS


def enrol(photo: bytes, policy: Policy = DEFAULT_POLICY, *, thorough: bool = False) -> Enrolment:
    """Make a template of one reference photo, or say what is wrong with it. Stricter than a frame: it serves for years.

    `thorough` shows the network twenty views instead of six: for whoever is not waited for.
    """
    seen = look(photo, policy, strict=True)
    if seen.face is None or not seen.good:
        return Enrolment(None, seen.reasons, seen.figures)
    return Enrolment(describe([seen.face], policy.enrol_views if thorough else policy.views), (), seen.figures)


def look(photo: bytes, policy: Policy = DEFAULT_POLICY, *, strict: bool = False) -> Quality:
    """The face of one picture and what is wrong with it, its file included."""
    try:
        return quality.inspect(decode(photo, policy), policy, strict=strict)
    except ImageRefused as refused:
        return Quality(None, (refused.reason,), {})


def describe(found: Sequence[Face], views: int) -> Template:
    """The template of one person's face, from one or more pictures of it."""
    network = encoder()
    return Template(unit(network.describe(found, views).mean(axis=0)), network.model, network.normalisation)


def check(
    frames: Sequence[LabelledFrame],
    actions: Sequence[str],
    templates: Sequence[Template] | None,
    policy: Policy = DEFAULT_POLICY,
    cohort: Cohort | None = None,
) -> Result:
    """Decide about one attempt: `frames` in the order they were taken, `actions` as they were asked for.

    `templates` are the person's; None asks only whether somebody alive did what was asked, whoever it is. `cohort` holds
    other people's faces, without this person's.

    Raises:
        ValueError: `actions` holds a word that is not one of `ACTIONS`.
    """
    started = time.perf_counter()
    if not set(actions) <= set(ACTIONS):
        raise ValueError("unknown action")
    attempt = _Attempt(policy, cohort)
    attempt.run(frames, list(actions), templates)
    return attempt.result(started)


class _Attempt:
    """The findings of one check, gathered in the order of the rule above."""

    def __init__(self, policy: Policy, cohort: Cohort | None) -> None:
        self.policy = policy
        self.cohort = cohort
        self.reasons: list[str] = []
        self.figures: Figures = {}
        self.actions: list[ActionSeen] = []
        self.match: Match | None = None
        self.template: Template | None = None

    def run(self, frames: Sequence[LabelledFrame], actions: list[str], templates: Sequence[Template] | None) -> None:
        blocks = [label for label, _ in groupby(frame.action for frame in frames)]
        if NEUTRAL not in blocks:
            return self.reasons.append(reasons.NEUTRAL_MISSING)
        if blocks != [NEUTRAL, *actions]:
            return self.reasons.append(reasons.WRONG_FRAMES)

        good = self._neutral([frame.data for frame in frames if frame.action == NEUTRAL])
        if not good:
            return None
        base = acting.baseline(good)
        self.template = describe(good[: self.policy.neutral_described], self.policy.views)

        acted = self._act([frame for frame in frames if frame.action != NEUTRAL], actions, base, good[-1])
        self._one_person(acted, base)
        if templates is not None:
            self._match(templates)
        self.figures["movement"] = acting.movement([face for _, found in acted for face in found], base)
        pictured = presentation.judge(good, acted, self.actions, base, self.policy)
        self.figures["presentation"] = pictured.figures
        self.reasons.extend(pictured.reasons)
        if not actions:
            self.reasons.append(reasons.NO_ACTIONS_ASKED)
        return None

    def result(self, started: float) -> Result:
        return Result(
            verdict=verdict_of(self.reasons),
            reasons=tuple(dict.fromkeys(self.reasons)),
            figures=self.figures,
            actions=tuple(self.actions),
            match=self.match,
            template=self.template,
            milliseconds=round((time.perf_counter() - started) * 1000),
        )

    def _neutral(self, uploads: Sequence[bytes]) -> list[Face]:
        """The faces of the good neutral frames, the sharpest first; if they are too few, the commonest faults."""
        looked: list[Quality] = []
        faults: Counter[str] = Counter()
        for data in uploads:
            seen = look(data, self.policy)
            looked.append(seen)
            faults.update(seen.reasons)
        good = [seen for seen in looked if seen.good]
        shown = [seen.figures for seen in good or looked]
        names = sorted(set().union(*shown)) if shown else []
        self.figures["neutral"] = {"frames": float(len(uploads)), "good": float(len(good))} | {
            name: median([figures[name] for figures in shown if name in figures]) for name in names
        }
        if len(good) < self.policy.neutral_frames:
            worst = max(faults.values(), default=0)
            self.reasons.extend(fault for fault, times in faults.items() if times == worst)
            return []
        good.sort(key=lambda seen: seen.figures["detail"], reverse=True)
        return [seen.face for seen in good if seen.face is not None]

    def _act(
        self, frames: Sequence[LabelledFrame], actions: list[str], base: Baseline, last: Face
    ) -> list[tuple[str, list[Face]]]:
        """The faces of each action's frames; every picture is searched where the `last` face was first."""
        acted: list[tuple[str, list[Face]]] = []
        refused: Counter[str] = Counter()
        for action, block in groupby(frames, key=lambda frame: frame.action):
            uploads = list(block)
            faces = []
            for frame in uploads:
                try:
                    image = decode(frame.data, self.policy)
                except ImageRefused as broken:
                    refused[broken.reason] += 1
                    continue
                score = self.policy.detector_score_in_action
                found = engine.find_near(image, last, score) or engine.find(image, score)
                faces.extend(found[:1])
                last = found[0] if found else last
            acted.append((action, faces))
            self.actions.append(acting.judge(action, len(uploads), faces, base, self.policy))
        if refused:
            self.figures["refused"] = {reason: float(times) for reason, times in refused.items()}
        if unseen := [seen for seen in self.actions if not seen.seen]:
            self.figures["not_seen"] = {
                seen.action: float(position) for position, seen in enumerate(self.actions, 1) if seen in unseen
            }
            moved = acting.movement([face for _, faces in acted for face in faces], base)
            if len(unseen) == len(actions) and moved < self.policy.still:
                self.reasons.append(reasons.NOTHING_MOVED)
            self.reasons.append(reasons.ACTION_NOT_SEEN)
            self.reasons.extend(refused)
        return acted

    def _one_person(self, acted: Sequence[tuple[str, list[Face]]], base: Baseline) -> None:
        """Compare the most frontal frame of each action, and the one that shows most of it, with the neutral ones."""
        if self.template is None:
            return
        chosen: list[Face] = []
        for action, faces in acted:
            if faces:
                picked = {id(face): face for face in (acting.ahead(faces, base), acting.peak(action, faces, base))}
                chosen.extend(picked.values())
        if not chosen:
            return
        policy = self.policy
        furthest = {"ahead": 0.0, "turned": 0.0}
        doubtful = apart = False
        vectors = encoder().describe(chosen, policy.views_in_action)
        for face, vector in zip(chosen, vectors, strict=True):
            gap = distance(self.template.vector, vector)
            turned = acting.is_turned(face, base, policy)
            kind = "turned" if turned else "ahead"
            furthest[kind] = max(furthest[kind], gap)
            apart |= gap > (policy.apart_turned if turned else policy.apart_ahead)
            doubtful |= gap > (policy.together_turned if turned else policy.together_ahead)
        self.figures["one_person"] = furthest
        if apart:
            self.reasons.append(reasons.DIFFERENT_PEOPLE)
        elif doubtful:
            self.reasons.append(reasons.SAME_PEOPLE_DOUBTFUL)

    def _match(self, templates: Sequence[Template]) -> None:
        if self.template is None:
            return
        if not templates:
            self.reasons.append(reasons.NOT_ENROLLED)
            return
        self.match = match(self.template, templates, self.policy, self.cohort)
        if self.match is None:
            self.reasons.append(reasons.MODEL_CHANGED)
        elif self.match.decision is Decision.DIFFERENT:
            self.reasons.append(reasons.DIFFERENT_PERSON)
        elif self.match.decision is Decision.DOUBTFUL:
            self.reasons.append(reasons.MATCH_DOUBTFUL)
