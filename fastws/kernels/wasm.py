"""Kernels as WebAssembly, for pages that run them in a browser: python -m fastws.kernels.wasm FILE.

Numba's LLVM code of each kernel is put behind a function of plain numbers and compiled by llvmlite, without a linker. A
function takes what its kernel takes, flattened: a tuple is its items one after the other, an array its address and its
lengths (i32), an integer a BigInt of JavaScript. It returns 0, or a number that tells of an error.

Kernels allocate nothing and call no library, so a module imports a memory only, ``env.__linear_memory``, whose first
64 KiB are its own, and ``env.__stack_pointer``, which is 65536 at first.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, typeof, types
from numba.core import cgutils
from numba.np.arrayobj import make_array, populate_array

from fastws.kernels import ledger
from fastws.kernels.costs import sampled_costs
from fastws.kernels.halves import run_asleep, run_awake
from fastws.kernels.jit import INNER
from fastws.kernels.layout import LANES, new_stack
from fastws.kernels.random import GROUP
from fastws.kernels.rooms import new_record, room_to_learn, room_to_learn_together
from fastws.kernels.run import run
from fastws.kernels.steps import sample_bars, sample_fantasies, sample_representations
from fastws.kernels.types import BarsSource, Draws, ImagesSource, Narrow, Net, Rule, Together
from fastws.kernels.whole import step

TRIPLE = "wasm32-unknown-unknown"
FEATURES = "+simd128,+bulk-memory"

_I32, _POINTER = ir.IntType(32), ir.IntType(8).as_pointer()
# Numba has no types.
_Array: Any = types.Array
_Tuple: Any = types.BaseTuple
_FOREIGN = ("llvm.aarch64.", "llvm.arm.", "llvm.ppc.", "llvm.x86.")
# Sections of an object: https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md
_CUSTOM, _IMPORTS, _EXPORTS, _CODE, _DATA_COUNT = 0, 2, 7, 10, 12

Signature = tuple[Any, ...]


def exported() -> dict[str, tuple[Any, Signature]]:
    """Return, by the names of their functions, the kernels that pages need and what they take."""
    sizes, shapes = np.array([1, 1, 0]), [(1, 1), (0, 1)]
    stack, stack_together = new_stack(shapes), new_stack(shapes, together=True)
    home = stack._replace(data=(stack.data,) * LANES)
    key, keys = np.zeros(4, np.uint32), np.zeros((4, LANES), np.uint32)
    counts, states, costs = np.zeros(1, np.uint64), np.zeros((1, 1), np.uint8), np.zeros((1, 1))
    floats = np.zeros(1, np.float32)

    bars = BarsSource(np.float32(0), np.zeros((1, 3), np.float32))
    images = ImagesSource(states, keys, np.zeros((1, 1), np.int64), counts, np.zeros((1, GROUP), np.uint32))
    rule = Rule(np.zeros(2, np.float32), np.float32(0))
    net, room = Net(Narrow(), sizes, stack, stack), room_to_learn(sizes, 1)
    alone = net, rule, Draws(key, 0, 1), room, 0, (counts,)
    nets, rooms = Net(Together(home, home), sizes, stack_together, stack_together), room_to_learn_together(sizes, 1)
    together = nets, rule, Draws(keys, 0, 1), rooms, 0, (counts,) * LANES
    examples: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "run_bars": (run, (bars, *alone)),
        "run_bars_together": (run, (bars, *together)),
        "run_images": (run, (images, *alone)),
        "run_awake_on_bars": (run_awake, (bars, *alone[:-1], counts)),
        "run_asleep": (run_asleep, (*alone[:-1], counts)),
        "step_of_bars": (step, (bars, *alone[:4], new_record(sizes), counts)),
        "sample_bars": (sample_bars, (key, bars, room, states)),
        "sample_fantasies": (sample_fantasies, (key, net, room, states)),
        "sample_representations": (sample_representations, (key, net, room, states, states)),
        "sample_unit": (ledger.sample_unit, (key, net, room, floats, floats, states[0])),
        "mean_field": (ledger.mean_field, (net, room, states, floats, floats)),
        "unit_costs": (ledger.unit_costs, (net, room, states, costs, costs)),
        "all_costs": (ledger.all_costs, (net, room, states, states, costs[0], costs[0])),
        "summed_costs": (ledger.summed_costs, (costs[0], costs[0], costs, costs[0])),
        "sampled_costs": (sampled_costs, (key, counts, net, room, states, costs, costs)),
    }
    return {name: (kernel, tuple(map(typeof, arguments))) for name, (kernel, arguments) in examples.items()}


def module(kernels: Mapping[str, tuple[Any, Signature]]) -> bytes:
    """Return a WebAssembly module with a function of each name for a kernel and the Numba types that it takes.

    Raises
    ------
    RuntimeError
        If this llvmlite knows no WebAssembly, or a kernel needs what is not in the module.
    """
    code = llvm.parse_assembly(str(_without_counting()))
    for name, (kernel, signature) in kernels.items():
        # There is no LLVM code of what was in the cache. With "_nrt" what allocates compiles, and is then named.
        fresh = njit(**INNER | {"_nrt": True})(kernel.py_func)
        fresh.compile(signature)
        compiled = fresh.overloads[signature]
        code.link_in(llvm.parse_assembly(compiled.library.get_llvm_str()))
        code.link_in(llvm.parse_assembly(str(_entry(name, compiled))))
    for value in [*code.functions, *code.global_variables]:
        if not value.is_declaration and value.name not in kernels:
            value.linkage = "internal"  # so that what nothing uses goes away
    return _with_exports(_compiled(code), kernels)


def _without_counting() -> ir.Module:
    """Return functions in place of Numba's, which count the references to arrays: here all are the caller's."""
    code = ir.Module()
    for name in ("NRT_incref", "NRT_decref"):
        function = ir.Function(code, ir.FunctionType(ir.VoidType(), [_POINTER]), name)
        ir.IRBuilder(function.append_basic_block()).ret_void()
    return code


def _entry(name: str, compiled: Any) -> ir.Module:
    """Return a function that makes tuples and arrays of plain numbers and calls a kernel."""
    context, arguments, result = compiled.target_context, compiled.signature.args, compiled.signature.return_type
    code = context.create_module(name)
    plain = [kind for argument in arguments for kind in _flattened(context, argument)]
    function = ir.Function(code, ir.FunctionType(_I32, plain), name)
    builder, numbers = ir.IRBuilder(function.append_basic_block()), iter(function.args)
    values = [_value(context, builder, argument, numbers) for argument in arguments]
    kernel = context.declare_function(code, compiled.fndesc)
    status, _ = context.call_conv.call_function(builder, kernel, result, arguments, values)
    builder.ret(status.code)
    return code


def _flattened(context: Any, kind: Any) -> Iterator[Any]:
    if isinstance(kind, _Array):
        yield context.get_value_type(kind.dtype).as_pointer()
        yield from [_I32] * kind.ndim
    elif isinstance(kind, _Tuple):
        for item in kind:
            yield from _flattened(context, item)
    else:
        yield context.get_value_type(kind)


def _value(context: Any, builder: Any, kind: Any, numbers: Iterator[Any]) -> Any:
    """Return a value of a Numba type, made of the next numbers."""
    if isinstance(kind, _Tuple):
        return context.make_tuple(builder, kind, [_value(context, builder, item, numbers) for item in kind])
    number = next(numbers)
    if not isinstance(kind, _Array):
        return number
    shape = [builder.zext(next(numbers), context.get_value_type(types.intp)) for _ in range(kind.ndim)]
    item = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
    strides = [item]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], length))
    array = make_array(kind)(context, builder)
    populate_array(array, number, cgutils.pack_array(builder, shape), cgutils.pack_array(builder, strides), item, None)
    return array._getvalue()


def _compiled(code: Any) -> bytes:
    """Return the object of LLVM code."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple(TRIPLE)
    except RuntimeError:
        raise RuntimeError("this llvmlite has no WebAssembly; PyPI's has: pip install llvmlite") from None
    machine = target.create_target_machine(opt=3, features=FEATURES)
    code.triple, code.data_layout = TRIPLE, str(machine.target_data)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(code, passes)
    # LLVM would end the process over an intrinsic function of another processor.
    declared = {function.name for function in code.functions if function.is_declaration}
    _complain({name for name in declared if not name.startswith("llvm.") or name.startswith(_FOREIGN)})
    return machine.emit_object(code)


def _with_exports(compiled: bytes, names: Collection[str]) -> bytes:
    """Make a module of an object, which lacks a list of exports only: functions' numbers are among its symbols."""
    sections = list(_sections(compiled))
    imports = next(content for kind, content in sections if kind == _IMPORTS)
    imported = {name.decode() for name in re.findall(rb"env[\0-\x7f](\w+)", imports)}
    _complain(imported - {"__linear_memory", "__stack_pointer"})
    symbols = next(content for kind, content in sections if kind == _CUSTOM and content.startswith(b"\x07linking"))
    exports = _leb128(len(names))
    for name in map(_counted, map(str.encode, names)):
        # A symbol of a function without flags; there are fewer than 128 functions.
        symbol: Any = re.search(rb"\0\0([\0-\x7f])" + re.escape(name), symbols)
        exports += name + b"\0" + symbol[1]
    sections = [(kind, content) for kind, content in sections if kind != _CUSTOM]
    place = next(i for i, (kind, _) in enumerate(sections) if kind in (_CODE, _DATA_COUNT))
    sections.insert(place, (_EXPORTS, exports))
    return compiled[:8] + b"".join(bytes([kind]) + _counted(content) for kind, content in sections)


def _complain(needed: Collection[str]) -> None:
    if needed:
        names = ", ".join(sorted(needed))
        raise RuntimeError(f"kernels must not need {names}: they allocate nothing and call no library")


def _sections(compiled: bytes) -> Iterator[tuple[int, bytes]]:
    file = BytesIO(compiled)
    file.seek(8)
    while kind := file.read(1):
        size, place, byte = 0, 0, 0x80
        while byte & 0x80:
            byte = file.read(1)[0]
            size |= (byte & 0x7F) << place
            place += 7
        yield kind[0], file.read(size)


def _leb128(n: int) -> bytes:
    """Return a number as WebAssembly has it, seven bits a byte."""
    return bytes([n]) if n < 0x80 else bytes([n & 0x7F | 0x80]) + _leb128(n >> 7)


def _counted(content: bytes) -> bytes:
    return _leb128(len(content)) + content


def write(path: str) -> None:
    """Write the module of what is exported into a file, or end with a sentence."""
    try:
        Path(path).write_bytes(module(exported()))
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror}")
    except RuntimeError as error:
        sys.exit(str(error))


def main() -> int:
    """Write the file that is asked for, in a Python whose Numba compiles for no processor in particular."""
    parser = argparse.ArgumentParser(prog="python -m fastws.kernels.wasm", description="Write kernels as WebAssembly.")
    parser.add_argument("file", type=Path, help="the module to write")
    path = parser.parse_args().file
    if not path.parent.is_dir():
        parser.error(f"there is no folder {path.parent}")
    settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    with TemporaryDirectory() as cache:
        settings |= {"NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": cache}
        program = f"from fastws.kernels.wasm import write; write({str(path)!r})"
        return subprocess.run([sys.executable, "-c", program], env=settings).returncode


if __name__ == "__main__":
    sys.exit(main())
