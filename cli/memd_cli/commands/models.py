"""model info, list, use, add; reindex."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import models
from memd_cli.commands.options import Json, NoDaemon
from memd_cli.commands.upkeep import CARE
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")
model = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Look at the encoder that vectors are made with, or take another.\n\n"
    "Each has its own vectors. After a change they are made anew in the background; what has none yet is found "
    "by words, and recall says so.",
    epilog=examples("memd model info", "memd model add ~/models/bge-small-en", "memd model use bge-small-en"),
)


def _complete_name(incomplete: str) -> list[str]:
    from memd.config import Config
    from memd.encoder.library import Encoders

    return [name for name in Encoders(Config.load().home).names() if name.startswith(incomplete)]


@model.command(epilog=examples("memd model info", "memd model info --json | jq .data.pending"))
def info(json: Json = False, no_daemon: NoDaemon = False) -> int:
    """Say which encoder is in use, and how many passages have its vectors."""
    return perform(Session("model info", locals()), models.info, models.show)


@model.command("list", epilog=examples("memd model list"))
def list_(json: Json = False) -> int:
    """List the encoders that can be used: the built-in one, and those that were added."""
    return perform(Session("model list", locals()), models.list_, models.show)


@model.command(epilog=examples("memd model use bge-small-en", "memd model use builtin  # back to memd's own"))
def use(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="As in `memd model list`.", show_default=False, autocompletion=_complete_name
        ),
    ],
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Make vectors with this encoder from now on.

    Nothing stops meanwhile: the daemon changes over at once and makes the vectors anew in the background.
    Those that an encoder made earlier, and that are still there, are used again.
    """
    return perform(Session("model use", locals()), models.use, models.show)


@model.command(epilog=examples("memd model add ~/models/bge-small-en", "memd model add ./export --name mine"))
def add(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where it lies.", show_default=False)],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What to call it. Default: the folder's name.", show_default=False),
    ] = None,
    json: Json = False,
) -> int:
    """Copy an encoder into the data folder, once it has been tried out.

    The folder holds a sentence encoder as ONNX (model.onnx, onnx/model.onnx or encoder.onnx) and tokenizer.json,
    as sentence-transformers and Optimum export them: hidden states of its tokens, a sentence embedding, or both;
    8 to 1,024 dimensions in steps of 8; at most 65,536 token ids. What can't be used is refused with the reason.
    """
    return perform(Session("model add", locals()), models.add, models.show)


app.add_typer(model, name="model", rich_help_panel=CARE)


@app.command(rich_help_panel=CARE, epilog=examples("memd reindex --wait", "memd reindex --all"))
def reindex(
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Come back when every passage has its vector.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Make every vector anew, not only those that lack.")] = False,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Make the vectors that are missing, in the background.

    The daemon does so by itself; this starts it, shows how far it is, and with --all has every vector made anew.
    It may be interrupted anywhere and goes on with the next command. With --no-daemon it is done before this ends.
    """
    return perform(Session("reindex", locals()), models.reindex, models.show)
