"""From frames to a verdict: decode, quality, landmarks, liveness, match. Knows no HTTP and no database.

`check` decides about an attempt, `enrol` makes a template of a reference photo, `REASONS` holds the advice for every reason
that either can give. How it decides: the docstring of `faces.verdict` and docs/faces.md.
"""

from faces.actions import ACTIONS, ActionSeen
from faces.cohort import Cohort
from faces.decode import Image, ImageRefused, decode
from faces.engine import warm_up
from faces.fingerprint import STRAIGHT, fingerprint, undone
from faces.match import Match
from faces.network import build_model, model_id
from faces.policy import DEFAULT_POLICY, Policy
from faces.reasons import REASONS, Reason
from faces.template import Template
from faces.verdict import Enrolment, LabelledFrame, Result, Verdict, check, describe, enrol, look

__all__ = [
    "ACTIONS",
    "DEFAULT_POLICY",
    "REASONS",
    "STRAIGHT",
    "ActionSeen",
    "Cohort",
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
    "build_model",
    "check",
    "decode",
    "describe",
    "enrol",
    "fingerprint",
    "look",
    "model_id",
    "undone",
    "warm_up",
]
