"""The programs that proving takes, looked for before anything is started that would miss them."""

from collections.abc import Mapping
from pathlib import Path

from adyton.adapters.installation import ProverMissingError, find_installation

__all__ = ["check_tools"]


def check_tools(environ: Mapping[str, str]) -> None:
    """Raise ``ProverMissingError`` unless prover and witness solver are there."""
    installation = find_installation(environ, home=Path.home())
    for path, what, setting in (
        (installation.require_bb(), "the prover bb", "ADYTON_BB"),
        (installation.require_solver(), "the witness solver", "ADYTON_ACVM"),
    ):
        # A setting is believed until here.
        if not path.is_file():
            raise ProverMissingError(what=what, setting=setting)
