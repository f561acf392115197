"""What the landmarks say does not depend on where the face is, how large it is or how the phone is held."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faces import DEFAULT_POLICY, geometry
from tests.faces import actors

# iBUG's 68 points, seen in a mirror
MIRRORED = np.r_[16:-1:-1, 26:16:-1, 27:31, 35:30:-1, 45:41:-1, 47:45:-1, 39:35:-1, 41:39:-1]
MIRRORED = np.r_[MIRRORED, 54:47:-1, 59:54:-1, 64:59:-1, 67:64:-1]

angles = st.floats(-180, 180)
sizes = st.floats(0.05, 20)
places = st.floats(-5000, 5000)
yaws = st.floats(-35, 35)
pitches = st.floats(-25, 25)
people = st.sampled_from(actors.PEOPLE)


def face(person, yaw=0.0, pitch=0.0):
    return actors._turned(actors.scene(person)[1], yaw, pitch)


def moved(points, angle, size, across, down):
    a = np.radians(angle)
    return size * points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + (across, down)


def in_a_mirror(points):
    return (points * (-1, 1))[MIRRORED]


def measures(points):
    pose = geometry.pose(points)
    return np.array([pose.yaw, pose.pitch, geometry.mouth_open(points), geometry.eyes_open(points)])


@given(people, yaws, pitches, angles, sizes, places, places)
@settings(deadline=None)
def test_moving_turning_and_scaling_the_picture_changes_no_measure(person, yaw, pitch, angle, size, across, down):
    points = face(person, yaw, pitch)
    other = moved(points, angle, size, across, down)
    assert measures(other) == pytest.approx(measures(points), abs=1e-4)
    assert geometry.movement(points, other) == pytest.approx(0, abs=1e-6)
    assert geometry.eye_distance(other) == pytest.approx(size * geometry.eye_distance(points), rel=1e-6)


@given(people, angles)
def test_the_roll_is_the_angle_by_which_the_picture_was_turned(person, angle):
    upright = face(person)
    turned = geometry.roll(moved(upright, angle, 1, 0, 0)) - geometry.roll(upright)
    assert (turned - angle + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


@given(people, yaws, pitches)
@settings(deadline=None)
def test_a_mirror_swaps_left_and_right_and_nothing_else(person, yaw, pitch):
    points = face(person, yaw, pitch)
    seen, mirrored = measures(points), measures(in_a_mirror(points))
    assert mirrored[0] == pytest.approx(-seen[0], abs=1e-6)
    assert mirrored[1:] == pytest.approx(seen[1:], abs=1e-6)
    assert in_a_mirror(in_a_mirror(points)) == pytest.approx(points)


@given(people, angles, sizes, places)
@settings(deadline=None)
def test_a_mirror_turns_the_roll_to_the_other_side(person, angle, size, across):
    points = moved(face(person), angle, size, across, 0)
    both = geometry.roll(in_a_mirror(points)) + geometry.roll(points)
    assert (both + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


@given(people, yaws, pitches, angles, sizes)
@settings(deadline=None)
def test_upright_is_the_same_however_the_picture_is_held_and_stays_as_it_is(person, yaw, pitch, angle, size):
    points = face(person, yaw, pitch)
    upright = geometry.upright(points)
    assert geometry.upright(moved(points, angle, size, 7, -9)) == pytest.approx(upright, abs=1e-9)
    assert geometry.upright(upright) == pytest.approx(upright, abs=1e-9)
    assert geometry.eye_distance(upright) == pytest.approx(1)
    assert geometry.roll(upright) == pytest.approx(0, abs=1e-9)


@given(people, st.floats(-30, 25), st.floats(3, 10))
def test_turning_further_to_the_persons_left_never_lowers_the_yaw(person, yaw, more):
    assert geometry.pose(face(person, yaw + more)).yaw > geometry.pose(face(person, yaw)).yaw


@given(people, st.floats(-20, 12), st.floats(3, 8))
def test_looking_further_up_never_lowers_the_pitch(person, pitch, more):
    assert geometry.pose(face(person, pitch=pitch + more)).pitch > geometry.pose(face(person, pitch=pitch)).pitch


@pytest.mark.parametrize("degrees", [-30, -20, 20, 30])
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_the_yaw_is_measured_within_eight_degrees(person, degrees):
    turned = geometry.pose(face(person, yaw=degrees)).yaw - geometry.pose(face(person)).yaw
    assert turned == pytest.approx(degrees, abs=8)


@given(people, st.lists(st.floats(-0.3, 0.3), min_size=4, max_size=4))
def test_a_flat_picture_does_not_move_however_it_is_tilted(person, tilt):
    points = face(person)
    tilted = points @ (np.eye(2) + np.reshape(tilt, (2, 2)))
    assert geometry.movement(points, tilted) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_head_that_turns_and_a_mouth_that_opens_move(person):
    still = face(person)
    assert geometry.movement(still, face(person, yaw=25)) > DEFAULT_POLICY.still
    assert geometry.movement(still, actors._mouth_open(still, 1.0)) > 0.03
    assert geometry.mouth_open(actors._mouth_open(still, 1.0)) > geometry.mouth_open(still) + 0.3
    assert geometry.eyes_open(actors._eyes_shut(still, 1.0)) < 0.4 * geometry.eyes_open(still)


def test_landmarks_in_one_point_break_nothing():
    assert np.isfinite(measures(np.zeros((68, 2)))).all()
