"""Picture of a picture (presentation attack, ISO/IEC 30107-1): a print, a screen or a bent photograph instead of a head.

The cues fall into three physics that have nothing to do with each other, and into what only says that a picture is poor:

- **Geometry**: how the face changes between looking ahead and turned. `planarity`, `relief`, `alike`: `flat_face`.
- **Texture**: what the surface looks like under the lens. `moire`, and the operator's own model (`faces.antispoof`).
- **Border**: the straight edge at which a picture ends, across the body and beside the face. `border`.
- **Poor picture**: `detail` lost, `tones` washed out, `glare`. An old phone in a dim room does the same to a living person,
  and all of it at once, so these count as one and never help to fail anybody.

The rule:

1. Nothing of it: no reason.
2. Any cue of any kind, alone: **review** (`flat_face` for the geometry, `screen_suspected` for everything else).
3. Two or more of geometry, texture and border: **fail** (`presentation_attack`). For that the operator's model counts only
   beyond its own limit for it, where it has one. Texture twice (moire and model) is still one: both look at the same pixels.
4. The operator's model could not be run: **review** (`antispoof_unavailable`), whatever went wrong.

Every figure is the median over the frames it was measured on: landmarks of a single frame jump. Where something could not be
measured (no turn, a small face) the figure is missing and the cue stays silent: doubt is for the person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from faces import antispoof, flatness, reasons, screens
from faces.actions import ActionSeen, Baseline
from faces.engine import Face
from faces.policy import Policy


@dataclass(frozen=True)
class Findings:
    """Reasons, none where nothing was found, and the figures behind them: numbers that may be stored, never pixels."""

    reasons: tuple[str, ...]
    figures: dict[str, float]


def judge(
    neutral: Sequence[Face],
    acted: Sequence[tuple[str, Sequence[Face]]],
    seen: Sequence[ActionSeen],
    base: Baseline,
    policy: Policy,
) -> Findings:
    """Look for a picture of a picture in the good frames of an attempt.

    `neutral` holds the good neutral frames, `acted` the frames of each action in which a face was found, `seen` what became of
    each action. The geometry is judged where a turn was seen: without one nothing turned that could be flat or not.
    """
    figures = screens.figures(neutral, policy)
    turned = [
        face
        for (action, faces), judged in zip(acted, seen, strict=True)
        if judged.seen and action.startswith("turn_")
        for face in faces
    ]
    figures |= flatness.figures(neutral, turned, base, policy)
    scored = antispoof.score([(face.image.large, face.points) for face in neutral])
    if scored is not None:
        figures |= scored.figures
    return Findings(decide(figures, scored, policy), figures)


def decide(figures: Mapping[str, float], scored: antispoof.Scored | None, policy: Policy) -> tuple[str, ...]:
    """The rule of this module on the figures; a missing figure is no cue."""
    model = scored.verdict if scored else antispoof.Verdict.LIVE
    flat = (
        figures.get("planarity", np.inf) < policy.planarity
        or figures.get("relief", np.inf) < policy.relief
        or figures.get("alike", 0.0) > policy.alike
    )
    pattern = figures.get("moire", 0.0) > policy.moire
    border = figures.get("border", 0.0) > policy.border
    washed = figures.get("tones", np.inf) < policy.tones and figures.get("lifted", 0.0) > policy.lifted
    poor = figures.get("detail", np.inf) < policy.rephotographed or washed or figures.get("glare", 0.0) > policy.glare
    found = []
    if flat + (pattern or model is antispoof.Verdict.FAKE) + border >= 2:
        found.append(reasons.PRESENTATION_ATTACK)
    if flat:
        found.append(reasons.FLAT_FACE)
    if pattern or border or poor or model in (antispoof.Verdict.DOUBTFUL, antispoof.Verdict.FAKE):
        found.append(reasons.SCREEN_SUSPECTED)
    if model is antispoof.Verdict.UNKNOWN:
        found.append(reasons.ANTISPOOF_UNAVAILABLE)
    return tuple(found)
