"""Executing a program: inputs in, every witness value out, in an instance that is used once."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import wasmtime

from adyton.adapters.acvm.heap import ENTRY_SIZE, OBJECT_SIZE, REJECT, RESOLVE, Heap
from adyton.adapters.acvm.modules import Linked, Modules, load_modules
from adyton.adapters.acvm.program import BytecodeMalformedError
from adyton.adapters.acvm.witness import Witness
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.errors import RejectedError, UnavailableError

__all__ = [
    "Acvm",
    "Execution",
    "SolverBudgetError",
    "SolverFailedError",
    "SolverLimits",
    "WitnessUnsatisfiedError",
]

_Exports: TypeAlias = Mapping[
    str,
    wasmtime.Func
    | wasmtime.Table
    | wasmtime.Memory
    | wasmtime.SharedMemory
    | wasmtime.Global
    | wasmtime.Tag,
]

_PAGE_SIZE: Final = 65_536
_MAX_INDEX: Final = 2**32 - 1
_BYTECODE_REFUSED: Final = b"Failed to deserialize circuit"


class WitnessUnsatisfiedError(RejectedError):
    """The inputs do not satisfy the program, or lack one that it needs."""

    code = "witness-unsatisfied"

    def __init__(self) -> None:
        # The solver's own words can quote a private value.
        super().__init__("the inputs do not satisfy the circuit")


class SolverFailedError(UnavailableError):
    """The witness solver gave up: a panic, or more memory than it may have."""

    code = "witness-solver-failed"

    def __init__(self) -> None:
        super().__init__("the witness solver failed")


class SolverBudgetError(UnavailableError):
    """The program runs longer than an execution may."""

    code = "witness-solver-budget"

    def __init__(self, *, fuel: int) -> None:
        super().__init__(f"the circuit did not end within {fuel} instructions of the solver")
        self.fuel = fuel


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverLimits:
    """What one execution may use; ``fuel`` counts WebAssembly instructions.

    Our largest circuit uses less than a twentieth of these; all of this fuel lasts some seconds.
    """

    fuel: int = 40_000_000_000
    memory_bytes: int = 256 * 1024 * 1024


class Acvm:
    """The compiled solver. It keeps nothing of an execution, and works on after a ``fork``."""

    def __init__(self, modules: Modules, limits: SolverLimits) -> None:
        self._modules, self._limits = modules, limits

    @classmethod
    def from_file(
        cls, path: Path, cache_dir: Path | None = None, limits: SolverLimits | None = None
    ) -> "Acvm":
        """Return the solver whose WebAssembly is in ``path``.

        It has the pinned digest. Compiling takes more than a second; with ``cache_dir`` it is done
        once. Raises ``SolverUnknownError`` and ``FolderNotPrivateError``.
        """
        return cls(load_modules(path, cache_dir=cache_dir), limits or SolverLimits())

    def execute(self, bytecode: bytes, inputs: Mapping[int, int]) -> Witness:
        """Return the witness of ``bytecode`` (still compressed) for ``inputs`` by witness index.

        Raises ``WitnessUnsatisfiedError``, ``BytecodeMalformedError``, ``SolverBudgetError`` or
        ``SolverFailedError``, none of which says anything about the inputs, and ``ValueError``
        where an input is not a field element.
        """
        return self.prepare().execute(bytecode, inputs)

    def prepare(self) -> "Execution":
        """Return an instance for one execution, made ahead so that nobody waits for it."""
        return Execution(self._modules, self._limits)


class Execution:
    """An instance of the solver, for one call of ``execute``."""

    def __init__(self, modules: Modules, limits: SolverLimits) -> None:
        self._fuel = limits.fuel
        self._used = False
        self._store = wasmtime.Store(modules.engine)
        self._store.set_limits(memory_size=limits.memory_bytes)
        self._store.set_fuel(limits.fuel)
        try:
            self._javascript = self._instance(modules.javascript, {})
            self._solver = self._instance(modules.solver, self._javascript)
            self._instance(modules.bridge, {**self._javascript, **self._solver})
            self._call(self._solver, "__wbindgen_start")
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise SolverFailedError from error

    def execute(self, bytecode: bytes, inputs: Mapping[int, int]) -> Witness:
        """Do what ``Acvm.execute`` does; ``RuntimeError`` when called again."""
        if self._used:
            raise RuntimeError("an instance of the solver is used once")
        self._used = True
        try:
            self._write_inputs(inputs)
            program = self._call(self._solver, "__wbindgen_malloc", len(bytecode), 1) & _MAX_INDEX
            self._memory(self._solver, "memory").write(self._store, bytecode, program)
            self._call(self._javascript, "execute", program, len(bytecode))
            return self._outcome()
        except wasmtime.Trap as error:
            if error.trap_code is wasmtime.TrapCode.OUT_OF_FUEL:
                raise SolverBudgetError(fuel=self._fuel) from error
            raise SolverFailedError from error
        except wasmtime.WasmtimeError as error:
            raise SolverFailedError from error
        finally:
            # The instance's memory goes back to the kernel here, not when the collector comes by.
            self._store.close()

    def _write_inputs(self, inputs: Mapping[int, int]) -> None:
        if not all(0 <= index <= _MAX_INDEX for index in inputs):
            raise ValueError("an input's index is not a witness index")
        if not all(0 <= value < FIELD_MODULUS for value in inputs.values()):
            raise ValueError("an input is not a field element")
        text = "".join([f"0x{value:064x}" for value in inputs.values()]).encode()
        self._write("text", text)
        self._write("inputs", struct.pack(f"<{len(inputs)}I", *inputs))
        self._global("text_size").set_value(self._store, len(text))
        self._global("input_count").set_value(self._store, len(inputs))

    def _outcome(self) -> Witness:
        outcome, result = self._value("outcome"), self._value("result")
        heap = Heap(
            objects=self._read("objects", OBJECT_SIZE * self._value("object_count")),
            entries=self._read("entries", ENTRY_SIZE * self._value("entry_count")),
            text=self._read("text", self._value("text_size")),
        )
        if outcome == RESOLVE and (witness := heap.witness(result)) is not None:
            return witness
        if outcome == REJECT and heap.message(result).startswith(_BYTECODE_REFUSED):
            raise BytecodeMalformedError("is not one that the witness solver can read")
        if outcome == REJECT:
            raise WitnessUnsatisfiedError
        raise SolverFailedError

    def _instance(self, linked: Linked, imports: _Exports) -> _Exports:
        found = [imports[name] for name in linked.imports]
        return wasmtime.Instance(self._store, linked.module, found).exports(self._store)

    def _call(self, exports: _Exports, name: str, *arguments: int) -> int:
        function = exports[name]
        if not isinstance(function, wasmtime.Func):
            raise TypeError(f"{name} is not a function")
        result: int | None = function(self._store, *arguments)
        return result or 0

    def _memory(self, exports: _Exports, name: str) -> wasmtime.Memory:
        memory = exports[name]
        if not isinstance(memory, wasmtime.Memory):
            raise TypeError(f"{name} is not a memory")
        return memory

    def _global(self, name: str) -> wasmtime.Global:
        variable = self._javascript[name]
        if not isinstance(variable, wasmtime.Global):
            raise TypeError(f"{name} is not a global")
        return variable

    def _value(self, name: str) -> int:
        value: int = self._global(name).value(self._store)
        return value

    def _read(self, name: str, size: int) -> bytes:
        return bytes(self._memory(self._javascript, name).read(self._store, 0, size))

    def _write(self, name: str, data: bytes) -> None:
        memory = self._memory(self._javascript, name)
        if (missing := len(data) - memory.data_len(self._store)) > 0:
            memory.grow(self._store, -(-missing // _PAGE_SIZE))
        memory.write(self._store, data)
