"""Every number that decides, in one frozen object.

A policy is stored with each decision by its `version`; whoever changes a number changes the version. Where a number was
measured and on what stands in docs/faces.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MatchThresholds:
    """Distances of one network under one normalisation. They mean nothing for another pair and are never used for it.

    Plain distances are Euclidean between vectors of unit length, 0 to 2; normalised ones are deviations, mostly negative.

    sure: at most this is the same person. different: above this is another one. Between them a person decides.
    """

    model: str
    normalisation: str
    sure: float
    different: float

    def __post_init__(self) -> None:
        if not self.sure <= self.different:
            raise ValueError("sure must not be above different")


@dataclass(frozen=True)
class Policy:
    """The thresholds in force. Lengths are pixels unless they say otherwise, angles degrees, luminance 0..255."""

    version: str = "2026-11.2"

    # The upload
    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 40_000_000
    read_side: int = 720
    """Longest side, at least, of the copy that landmarks and descriptor are read from: larger pictures are reduced by whole
    numbers, so it lies between this and its double."""
    find_side: int = 400
    """Longest side of the copy that faces are looked for in: 9 ms instead of seconds for a 12 megapixel photograph. Where none
    is found the large copy is searched."""

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
    min_face_width: float = 63.0
    """Width of the face in the small copy: about a sixth of the longest side."""
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
    views: int = 3
    """Views of each of them: four frames of three say as much as one of twelve."""
    enrol_views: int = 20
    """Views of a reference photograph, of which there is one."""
    views_in_action: int = 2
    """Views of a frame that is only held against the neutral ones of the same minute."""

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
    together_ahead: float = 0.34
    together_turned: float = 0.40
    apart_ahead: float = 0.42
    apart_turned: float = 0.47
    turned: float = 15.0
    """Degrees of yaw or pitch from the neutral frames above which a frame counts as turned."""
    turned_pitch: float = 12.0

    # Cues of a picture of a picture; weak alone, so each asks for a person. Which of them fail together: faces/presentation.py
    rephotographed: float = 9.0
    """Fine detail of the neutral frames, as for `sharp`. A screen or print that is filmed again loses sharpness and tones at
    once, and this measure falls with either."""
    planarity: float = 0.04
    """Misfit of the best plane per sine of the yaw, in eye distances, below which the landmarks lie in a plane: 0.11 and more
    in the pairs named at `relief`."""
    relief: float = 0.3
    """Share of an ordinary nose that must stand out: 0.55 and more in 282 pairs of photographs of 33 people."""
    alike: float = 0.93
    """Correlation of the face ahead and turned after the best plane, above which it is one picture turned: a living man up to
    0.87, in the dark up to 0.90, acted heads up to 0.91; flat photographs 0.89 to 0.99, half of them 0.94 and more."""
    alike_frames: int = 2
    """Turned frames that are aligned at most, those turned least first: it costs most of all cues."""
    moire: float = 18.0
    """Ratio of a peak in the fine spectrum to its surroundings: living faces up to 7, a drawn screen's grid mostly 30 and more,
    a soft film of a real screen no more than a living face."""
    border: float = 0.8
    """Share of the weakest of the edges in which a picture ends that must be there."""
    tones: float = 0.55
    """Range of tones of the face against its brightness below which it is washed out, if `lifted` says so as well."""
    lifted: float = 0.5
    """Height of the face's black above the picture's own, against the face's brightness."""
    glare: float = 0.02
    """Share of the face below the eyes that a mirrored lamp burns out."""

    match: tuple[MatchThresholds, ...] = (
        # one photograph against one: before there is a cohort more goes to a person
        MatchThresholds(
            model="dlib_face_recognition_resnet_model_v1@55533b28a958",
            normalisation="68pt-150px-views-unit",
            sure=0.24,
            different=0.40,
        ),
        # normalised by a cohort of the same population
        MatchThresholds(
            model="dlib_face_recognition_resnet_model_v1@55533b28a958",
            normalisation="68pt-150px-views-unit+asnorm20-0.25",
            sure=-4.8,
            different=-0.25,
        ),
    )

    def match_thresholds(self, model: str, normalisation: str) -> MatchThresholds | None:
        """The thresholds measured for this pair, or None: then nothing is sure and a person decides."""
        return next((m for m in self.match if (m.model, m.normalisation) == (model, normalisation)), None)


DEFAULT_POLICY = Policy()
