"""From frames to a verdict: decode, quality, landmarks, liveness, match. Knows no HTTP and no database.

`check` decides about an attempt, `enrol` makes a template of a reference photo, `REASONS` holds the advice for every reason
that either can give. How it decides: the docstring of `faces.verdict` and docs/faces.md.
"""

from faces.actions import ACTIONS, ActionSeen
from faces.decode import Image, ImageRefused, decode
from faces.engine import model_id, warm_up
from faces.match import Match, Template
from faces.policy import DEFAULT_POLICY, Policy
from faces.reasons import REASONS, Reason
from faces.verdict import Enrolment, LabelledFrame, Result, Verdict, check, enrol

__all__ = [
    "ACTIONS",
    "DEFAULT_POLICY",
    "REASONS",
    "ActionSeen",
    "Enrolment",
    "Image",
    "ImageRefused",
    "LabelledFrame",
    "Match",
    "Policy",
    "Reason",
    "Result",
    "Template",
    "Verdict",
    "check",
    "decode",
    "enrol",
    "model_id",
    "warm_up",
]
