"""People made of numbers: random centres, photographs around them, for whoever needs many faces and no pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faces import Cohort
from faces.encoder import unit

MODEL, NORMALISATION = "made up@1", "unit"
LENGTH = 64


@dataclass
class Population:
    """People around random centres. `crowding` is how alike strangers are: one number for each person, 0 to 1."""

    centres: np.ndarray
    noise: np.ndarray
    chance: np.random.Generator

    @classmethod
    def of(cls, count: int, crowding, noise: float, seed: int = 1, somewhere: int = 0) -> Population:
        """`noise` is how far two photographs of one person lie apart, against how far strangers do."""
        chance = np.random.default_rng(seed)
        common = unit(np.random.default_rng(1000 + somewhere).normal(size=LENGTH))
        share = np.broadcast_to(np.asarray(crowding, dtype=np.float64), (count,))[:, None]
        own = unit(chance.normal(size=(count, LENGTH)))
        spread = np.sqrt(1 - share)
        return cls(unit(np.sqrt(share) * common + spread * own), spread * noise / np.sqrt(LENGTH), chance)

    def seen(self, people=slice(None)) -> np.ndarray:
        """One photograph of each."""
        centres = self.centres[people]
        return unit(centres + self.noise[people] * self.chance.normal(size=centres.shape))

    def cohort(self, prefix: str = "") -> Cohort:
        return Cohort(
            self.seen(), tuple(f"{prefix}{number}" for number in range(len(self.centres))), MODEL, NORMALISATION, "test"
        )

    def genuine(self, people=slice(None)) -> list[tuple[str, np.ndarray, np.ndarray]]:
        numbers = np.arange(len(self.centres))[people]
        return [
            (str(number), one, other)
            for number, one, other in zip(numbers, self.seen(people), self.seen(people), strict=True)
        ]


def mixed(count: int = 400, seed: int = 1) -> Population:
    """Half of the people resemble each other as the network sees them, the others do not."""
    return Population.of(count, np.where(np.arange(count) % 2, 0.8, 0.05), noise=0.75, seed=seed)


def even(count: int = 400, seed: int = 1, noise: float = 1.0) -> Population:
    """Nobody resembles others more than the next one does."""
    return Population.of(count, 0.3, noise=noise, seed=seed)
