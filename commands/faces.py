"""`flask faces`: build the network's graph, and say how often faces are taken for others' on photographs of your own."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

import faces
from faces import evaluation
from faces.cohort import LEAST, Cohort
from faces.encoder import encoder
from faces.evaluation import Pair, Rates
from faces.template import Template
from models import clock, face_cohorts, face_references, schema

TRUE = ("1", "true", "yes", "是")
FALSE = ("0", "false", "no", "否")
SHOWN_EVERY = 4
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


@click.group("faces")
def group() -> None:
    """Faces: the network, and how often it is wrong."""


@group.command("build-model")
@click.option("--again", is_flag=True, help="build it even where it is there already")
def build_model(again: bool) -> None:
    """Write the network as an ONNX graph under DATA_DIR/models, checked against dlib's own descriptors."""
    try:
        path, difference = faces.build_model(again=again)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if difference is None:
        click.echo(f"{path} is there already")
    else:
        click.echo(f"{path}: largest difference from dlib {difference:.1e}")


@group.command()
@click.argument("pairs", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.option("--cohort", help="normalise by other people: `self` for those of this list, or another list")
@click.option("--strict", is_flag=True, help="leave out photographs that an enrolment would refuse")
@click.option("--by", help="a column of the list to group by: age, sex, light")
def evaluate(pairs: Path, as_json: bool, cohort: str | None, strict: bool, by: str | None) -> None:
    """False accepts and false rejects over PAIRS, a CSV with the columns file_x, file_y, same.

    Files are relative to the CSV; the folder that a file lies in names the person. Unusable is a photograph without a face.
    """
    wanted = list(_pairs(pairs, by))
    templates, refused = _templates(
        {name for pair in wanted for name in (pair.one, pair.other)}, pairs.parent, strict=strict
    )
    others = _cohort(cohort, templates, strict=strict) if cohort else None
    scored = evaluation.score(wanted, templates, _person, cohort=others)
    if others and any(row.distance is not None and not row.normalised for row in scored):
        click.echo(f"fewer than {LEAST} photographs of other people: nothing is normalised", err=True)
        others, scored = None, evaluation.score(wanted, templates, _person)
    thresholds = evaluation.NORMALISED_THRESHOLDS if others else evaluation.PLAIN_THRESHOLDS
    found = evaluation.rates(scored, thresholds)
    groups = {
        name: evaluation.rates([row for row in scored if row.pair.group == name], thresholds)
        for name in sorted({row.pair.group for row in scored} if by else ())
    }
    if as_json:
        told = found.as_dict() | ({"by": {name: rates.as_dict() for name, rates in groups.items()}} if by else {})
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    _print(found, refused, others)
    if by:
        _print_groups(by, groups)


@group.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--enrolled",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="photograph to compare with; without it only the actions and the pictures are judged",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def attempt(folder: Path, enrolled: Path | None, as_json: bool) -> None:
    """Decide about one attempt: a FOLDER with `0-neutral/`, `1-turn_left/`, `2-turn_right/` and so on."""
    frames, actions = read_attempt(folder)
    templates = None
    if enrolled:
        enrolment = faces.enrol(enrolled.read_bytes(), thorough=True)
        if enrolment.template is None:
            raise click.ClickException(f"{enrolled.name} cannot be used: {', '.join(enrolment.reasons)}")
        templates = [enrolment.template]
    try:
        result = faces.check(frames, actions, templates)
    except ValueError as error:
        raise click.ClickException(f"the folders must be named by actions: {', '.join(faces.ACTIONS)}") from error
    match = {"distance": result.match.distance, "decision": result.match.decision} if result.match else None
    if as_json:
        told = {
            "verdict": result.verdict,
            "reasons": list(result.reasons),
            "actions": [{"action": seen.action, "seen": seen.seen} for seen in result.actions],
            "match": match,
            "milliseconds": result.milliseconds,
        }
        click.echo(json.dumps(told))
        return
    click.echo(f"{result.verdict}  {' '.join(result.reasons)}  ({len(frames)} frames, {result.milliseconds} ms)")
    for seen in result.actions:
        click.echo(f"  {seen.action:<12} {'seen' if seen.seen else 'not seen':<9} {_figures(seen.figures)}")
    if match:
        click.echo(f"  match        {match['decision']:<9} distance={match['distance']:.3f}")
    else:
        click.echo("  no enrolled photograph was given: whose face this is was not judged")
    for name, figures in result.figures.items():
        if isinstance(figures, dict):
            click.echo(f"  {name:<12} {_figures(figures)}")


@group.command("re-enrol")
def re_enrol() -> None:
    """Ask the worker for templates of the network in force, from the photographs of whoever agreed; every night does so too."""
    schema.prepare()
    network = encoder()
    asked, photos_wanted = face_references.offer_again(network.model, network.normalisation)
    click.echo(f"network {network.model}: {asked} people asked for, {photos_wanted} need a new photograph")


@group.command()
def evaluations() -> None:
    """What each night measured on the enrolled people, the newest first; * is in force."""
    schema.prepare()
    for row in face_cohorts.evaluations():
        made = row["made_at"].astimezone(clock.SHANGHAI)
        used = "used" if row["used"] else f"not used: {row['why_not']}"
        click.echo(
            f"{'*' if row['in_force'] else ' '} {row['_id']}  {made:%Y-%m-%d %H:%M}  {row['people']} people, "
            f"{row['genuine']} genuine, {row['impostor']} impostor pairs  {used}"
        )
        for kind in ("plain", "normalised"):
            if found := row[kind]:
                click.echo(
                    f"    {kind:<10}  equal error rate {_percent(found['eer'])}  refused at one stranger in 1,000 "
                    f"{_percent(found['frr'])}  strangers that pass {_percent(found['far'])}"
                )
        if limits := row["thresholds"]:
            click.echo(f"    sure {limits['sure']:.2f}  different {limits['different']:.2f}  network {row['model']}")


def _pairs(path: Path, by: str | None) -> Iterator[Pair]:
    columns = ["file_x", "file_y", "same", *([by] if by else [])]
    for number, row in enumerate(_rows(path, columns), 2):
        same = row["same"].strip().lower()
        if same not in TRUE + FALSE:
            raise click.ClickException(f"{path.name}, line {number}: `same` is 1 or 0")
        yield Pair(row["file_x"], row["file_y"], same in TRUE, row[by].strip() if by else "")


def _rows(path: Path, columns: list[str]) -> Iterator[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := set(columns) - set(reader.fieldnames or ()):
                raise click.ClickException(f"{path.name} has no column {', '.join(sorted(missing))}")
            for row in reader:
                if any(row[column] is None for column in columns):
                    raise click.ClickException(f"{path.name}, line {reader.line_num}: too few columns")
                yield row
    except (UnicodeDecodeError, csv.Error) as error:
        raise click.ClickException(f"{path.name} is no CSV file in UTF-8") from error


def _templates(names: set[str], root: Path, *, strict: bool) -> tuple[dict[str, Template], dict[str, str]]:
    """Templates by photograph with the views of an enrolment, and why there is none of the others."""
    found, refused = {}, {}
    with click.progressbar(sorted(names), label="Reading photographs", file=sys.stderr) as bar:
        for name in bar:
            try:
                seen = faces.look((root / name).read_bytes(), strict=strict)
            except OSError:
                refused[name] = "not_found"
                continue
            if seen.face is None or (strict and not seen.good):
                refused[name] = seen.reasons[0]
            else:
                found[name] = faces.describe([seen.face], faces.DEFAULT_POLICY.enrol_views)
    return found, refused


def _cohort(which: str, templates: Mapping[str, Template], *, strict: bool) -> Cohort:
    if which == "self":
        members: Mapping[str, Template] = templates
    else:
        listed = Path(which)
        if not listed.is_file():
            raise click.ClickException("--cohort takes `self` or the path of a list")
        rows = list(_rows(listed, ["file_x", "file_y"]))
        members, _ = _templates(
            {row[column] for row in rows for column in ("file_x", "file_y")}, listed.parent, strict=strict
        )
    if not members:
        raise click.ClickException("no photograph of the cohort can be used")
    return Cohort.of([(_person(name), template) for name, template in sorted(members.items())], which)


def _person(name: str) -> str:
    return Path(name).parent.name


def read_attempt(folder: Path) -> tuple[list[faces.LabelledFrame], list[str]]:
    """(frames, actions) of a folder with a folder for each label, numbered in their order."""
    frames, actions = [], []
    for part in sorted((path for path in folder.iterdir() if path.is_dir()), key=_place):
        action = part.name.partition("-")[2]
        if action != "neutral":
            actions.append(action)
        pictures = sorted(path for path in part.iterdir() if path.suffix.lower() in PICTURES)
        frames += [faces.LabelledFrame(action, path.read_bytes()) for path in pictures]
    if not frames:
        raise click.ClickException("there are no pictures in folders such as 0-neutral/ and 1-turn_left/")
    return frames, actions


def _place(folder: Path) -> tuple[int, str]:
    number = folder.name.partition("-")[0]
    return (int(number) if number.isdigit() else len(faces.ACTIONS) + 1, folder.name)


def _figures(figures: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value:.3g}" for name, value in figures.items())


def _percent(share: float | None) -> str:
    return "      -" if share is None else f"{share * 100:6.2f}%"


def _print(found: Rates, refused: Mapping[str, str], others: Cohort | None) -> None:
    click.echo(f"{found.pairs} pairs: {found.genuine} genuine, {found.impostor} impostor, {found.unusable} unusable")
    if refused:
        reasons = sorted(refused.values())
        told = ", ".join(f"{reason} {reasons.count(reason)}" for reason in dict.fromkeys(reasons))
        click.echo(f"photographs that cannot be used: {told}")
    click.echo(f"network {faces.model_id()}, policy {faces.DEFAULT_POLICY.version}")
    click.echo(f"normalised by a cohort of {len(others.people)} photographs" if others else "distances as they are")
    click.echo(f"equal error rate {_percent(found.eer).strip()}")
    click.echo("threshold     FAR     FRR")
    for at, far, frr in found.thresholds[::SHOWN_EVERY]:
        if far and frr:  # outside of these everybody is accepted, or nobody
            click.echo(f"{at:9.2f} {_percent(far)} {_percent(frr)}")
    for strangers in (100, 1000):
        refused_then = [frr for _, far, frr in found.thresholds if far is not None and far <= 1 / strangers]
        if refused_then:
            click.echo(f"refused at one stranger in {strangers:5,}: {_percent(refused_then[-1]).strip()}")
    click.echo("the policy      pass  review    fail")
    for kind, shares in found.policy.items():
        click.echo(f"{kind:<12} {_percent(shares['pass'])} {_percent(shares['review'])} {_percent(shares['fail'])}")


def _print_groups(by: str, groups: Mapping[str, Rates]) -> None:
    click.echo(f"\n{by:<16} genuine impostor     EER  right people: pass, review, fail  strangers: pass")
    for name, found in groups.items():
        right, wrong = found.policy["genuine"], found.policy["impostor"]
        shares = " ".join(_percent(right[outcome]) for outcome in ("pass", "review", "fail"))
        click.echo(
            f"{name or '-':<16} {found.genuine:7} {found.impostor:8} {_percent(found.eer)} {shares} {_percent(wrong['pass'])}"
        )
