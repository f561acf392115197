"""Every number that decides, in one frozen object.

A policy is stored with each decision by its `version`; whoever changes a number changes the version. Where a number was
measured and on what stands in docs/faces.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MatchThresholds:
    """Distances of one network under one normalisation. They mean nothing for another pair and are never used for it.

    sure: at most this is the same person. different: above this is another one. Between them a person decides.
    """

    model: str
    normalisation: str
    sure: float
    different: float

    def __post_init__(self) -> None:
        if not 0 <= self.sure <= self.different:
            raise ValueError("sure must not be above different")


@dataclass(frozen=True)
class Policy:
    """The thresholds in force. Lengths are pixels unless they say otherwise, angles degrees, luminance 0..255."""

    version: str = "2026-11.1"

    # The upload
    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 40_000_000
    read_side: int = 960
    """Longest side of the copy that landmarks and descriptor are read from."""
    find_side: int = 480
    """Longest side of the copy that faces are looked for in: 16 ms instead of seconds for a 12 megapixel photograph."""

    # Finding a face
    detector_score: float = 0.0
    """Score of the HOG detector for a neutral frame or a reference photo: dlib's own default."""
    detector_score_in_action: float = -0.2
    """The same for the frames of an action, where a turned head scores lower."""
    crowd_share: float = 0.5
    """A second face this wide, measured against the largest, makes `several_faces`; a smaller one stands in the background."""
    crowd_score: float = 0.4
    """Score that a second face needs: a fold of cloth scores 0 to 0.2 now and then, a face before a phone 0.7 and more."""

    # The picture of the face
    min_face_width: float = 76.0
    """Width of the face in the small copy, about a sixth of the longest side: the limit of the detector."""
    min_face_pixels: float = 60.0
    """Width of the face in the large copy: below this the network sees an enlargement."""
    dark: float = 45.0
    """Median luminance of the inner face below which it is too dark."""
    bright: float = 225.0
    """Median luminance of the inner face above which it is too bright."""
    burnt_share: float = 0.35
    """Share of the inner face at 250 and above that makes it too bright."""
    sharp: float = 5.0
    """Fine detail (standard deviation of the Laplacian on an inner face of 40 x 40) below which it is blurred."""
    eyes_dark_share: float = 0.42
    """Brightness of the eyes against the cheeks below which something dark covers them."""
    eyes_detail: float = 0.2
    """Contrast within the eyes against the cheeks below which there are no eyes to be seen."""
    away_yaw: float = 22.0
    away_pitch: float = 26.0
    away_roll: float = 25.0
    enrol_yaw: float = 20.0
    """A reference photo serves for years: it is held to more than a frame of the day."""
    enrol_pitch: float = 22.0
    enrol_roll: float = 15.0

    neutral_described: int = 4
    """Neutral frames that the network describes at most, the sharpest: more cost time and change little."""

    # The actions, against the person's own neutral frames
    neutral_frames: int = 1
    """Usable neutral frames that an attempt needs at least: a phone without a camera stream sends single photographs."""
    turn: float = 15.0
    """Yaw that the furthest frame of a turn must reach."""
    turn_rising: float = 10.0
    """Yaw that counts as turning; two frames of a turn must show it, one where only one or two were sent."""
    nod: float = 9.0
    """Pitch, up or down, that a nod must reach."""
    mouth: float = 0.25
    """Rise of the mouth's aspect ratio."""
    blink: float = 0.62
    """Openness of the eyes, as a share of the neutral one, that a blink must come down to: 0.42 to 0.57 in the blinks of
    narrow eyes, 0.70 and more between them."""
    steady_yaw: float = 15.0
    """Frames turned further say nothing about mouth, eyes and nod: the landmarks are foreshortened."""
    steady_pitch: float = 12.0
    """The same for the eyes: who looks down or up seems to close them."""
    still: float = 0.03
    """Change of shape in eye distances below which nothing has moved. A living face that is held still: 0.008 to 0.035."""

    # One person through the attempt: distance of action frames from the neutral ones, looking ahead and turned
    together_ahead: float = 0.45
    together_turned: float = 0.52
    apart_ahead: float = 0.55
    apart_turned: float = 0.62
    turned: float = 15.0
    """Degrees of yaw or pitch from the neutral frames above which a frame counts as turned."""
    turned_pitch: float = 12.0

    # Cues of a picture of a picture; weak alone, so they ask for a person and never fail anybody
    rephotographed: float = 9.0
    """Fine detail of the neutral frames, as for `sharp`. A screen or print that is filmed again loses sharpness and tones at
    once, and this measure falls with either."""
    parallax: float = 0.022
    """Shift of the nose against the eyes, in eye distances, below which a turn looks like that of a flat picture."""

    match: tuple[MatchThresholds, ...] = (
        MatchThresholds(
            model="dlib_face_recognition_resnet_model_v1@55533b28a958",
            normalisation="68pt-150px-0.25-mirrored",
            sure=0.38,
            different=0.50,
        ),
    )

    def match_thresholds(self, model: str, normalisation: str) -> MatchThresholds | None:
        """The thresholds measured for this pair, or None: then nothing is sure and a person decides."""
        return next((m for m in self.match if (m.model, m.normalisation) == (model, normalisation)), None)


DEFAULT_POLICY = Policy()
