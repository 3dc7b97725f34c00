"""Kernels as WebAssembly, for pages that run them in a browser: python -m fastws.kernels.wasm FILE.

Numba's LLVM code of each kernel is put behind a function of plain numbers and compiled by llvmlite, without a linker.
The module imports a memory, ``env.__linear_memory``, and nothing else: kernels allocate nothing and call no library.

A function takes what its kernel takes, flattened. A tuple is its items one after the other, an array its address (a
multiple of 64 for rows that are loaded fastest) and its lengths (i32), and a number itself: in JavaScript an integer is
a BigInt. It returns 0, or a code that tells of an error.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, typeof, types
from numba.core import cgutils
from numba.np.arrayobj import make_array, populate_array

from fastws.kernels.costs import sampled_costs
from fastws.kernels.jit import INNER
from fastws.kernels.layout import LANES, new_stack
from fastws.kernels.random import GROUP
from fastws.kernels.rooms import room_to_learn, room_to_learn_together
from fastws.kernels.run import run
from fastws.kernels.steps import sample_fantasies
from fastws.kernels.types import BarsSource, Draws, ImagesSource, Narrow, Net, Rule, Together

TRIPLE = "wasm32-unknown-unknown"
FEATURES = "+simd128,+bulk-memory"

_I32, _POINTER = ir.IntType(32), ir.IntType(8).as_pointer()
_FOREIGN = ("llvm.aarch64.", "llvm.arm.", "llvm.ppc.", "llvm.x86.")
# Sections of an object: https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md
_CUSTOM, _IMPORTS, _EXPORTS, _ELEMENTS, _CODE, _DATA_COUNT = 0, 2, 7, 9, 10, 12


def exported() -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """Return, by the names of functions, kernels and what they take: arrays of any lengths."""
    sizes = np.array([1, 1, 0])
    shapes = [(1, 1), (0, 1)]
    stack, wide_stack = new_stack(shapes), new_stack(shapes, together=True)
    home = stack._replace(data=(stack.data,) * LANES)
    key, keys = np.zeros(4, np.uint32), np.zeros((4, LANES), np.uint32)
    counts, states, costs = np.zeros(1, np.uint64), np.zeros((1, 1), np.uint8), np.zeros((1, 1))

    bars = BarsSource(np.float32(0), np.zeros((1, 3), np.float32))
    images = ImagesSource(states, keys, np.zeros((1, 1), np.int64), counts, np.zeros((1, GROUP), np.uint32))
    rule = Rule(np.zeros(2, np.float32), np.float32(0))
    one, room = Net(Narrow(), sizes, stack, stack), room_to_learn(sizes, 1)
    sixteen, space = Net(Together(home, home), sizes, wide_stack, wide_stack), room_to_learn_together(sizes, 1)
    alone, together = (one, rule, Draws(key, 0, 1), room), (sixteen, rule, Draws(keys, 0, 1), space)
    return {
        "run_bars": (run, (bars, *alone, 0, (counts,))),
        "run_images": (run, (images, *alone, 0, (counts,))),
        "run_bars_together": (run, (bars, *together, 0, (counts,) * LANES)),
        "sample_fantasies": (sample_fantasies, (key, one, room, states)),
        "sampled_costs": (sampled_costs, (key, counts, one, room, states, costs, costs)),
    }


def module(kernels: Mapping[str, tuple[Any, tuple[Any, ...]]]) -> bytes:
    """Return a WebAssembly module with a function of each name for a kernel and arguments of these types.

    Raises
    ------
    RuntimeError
        If this LLVM knows no WebAssembly, or if kernels need what is not in the module.
    """
    code = llvm.parse_assembly(str(_without_counting()))
    for name, (kernel, arguments) in kernels.items():
        compiled = _compiled(kernel, tuple(map(typeof, arguments)))
        code.link_in(llvm.parse_assembly(compiled.library.get_llvm_str()))
        code.link_in(llvm.parse_assembly(str(_entry(name, compiled))))
    for value in [*code.functions, *code.global_variables]:
        if not value.is_declaration and value.name not in kernels:
            value.linkage = "internal"  # so that what nothing uses goes away
    return _module(_object(code), kernels)


def _compiled(kernel: Any, signature: tuple[Any, ...]) -> Any:
    fresh = njit(**INNER)(kernel.py_func)  # of code from the cache there is no LLVM code
    fresh.compile(signature)
    return fresh.overloads[signature]


def _without_counting() -> ir.Module:
    """Return functions in place of Numba's, which count the references to arrays: here all are the caller's."""
    code = ir.Module()
    for name in ("NRT_incref", "NRT_decref"):
        function = ir.Function(code, ir.FunctionType(ir.VoidType(), [_POINTER]), name)
        ir.IRBuilder(function.append_basic_block()).ret_void()
    return code


def _entry(name: str, compiled: Any) -> ir.Module:
    """Return a function that makes tuples and arrays of plain numbers and calls a kernel."""
    context, arguments = compiled.target_context, compiled.signature.args
    code = context.create_module(name)
    plain = [kind for argument in arguments for kind in _flattened(context, argument)]
    function = ir.Function(code, ir.FunctionType(_I32, plain), name)
    builder, numbers = ir.IRBuilder(function.append_basic_block()), iter(function.args)
    values = [_value(context, builder, argument, numbers) for argument in arguments]
    kernel = context.declare_function(code, compiled.fndesc)
    status, _ = context.call_conv.call_function(builder, kernel, types.none, arguments, values)
    builder.ret(status.code)
    return code


def _flattened(context: Any, kind: Any) -> Iterator[Any]:
    if isinstance(kind, types.Array):
        yield context.get_value_type(kind.dtype).as_pointer()
        yield from [_I32] * kind.ndim
    elif isinstance(kind, types.BaseTuple):
        for item in kind:
            yield from _flattened(context, item)
    else:
        yield context.get_value_type(kind)


def _value(context: Any, builder: Any, kind: Any, numbers: Iterator[Any]) -> Any:
    """Return a value of a Numba type, made of the next numbers."""
    if isinstance(kind, types.BaseTuple):
        return context.make_tuple(builder, kind, [_value(context, builder, item, numbers) for item in kind])
    number = next(numbers)
    if not isinstance(kind, types.Array):
        return number
    shape = [builder.zext(next(numbers), context.get_value_type(types.intp)) for _ in range(kind.ndim)]
    item = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
    strides = [item]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], length))
    array = make_array(kind)(context, builder)
    packed = (cgutils.pack_array(builder, lengths) for lengths in (shape, strides))
    populate_array(array, number, *packed, item, None)
    return array._getvalue()


def _object(code: Any) -> bytes:
    """Compile LLVM code."""
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


def _module(compiled: bytes, names: Collection[str]) -> bytes:
    """Return a module of an object, which is one but for the exports: the numbers of functions are among its symbols."""
    sections = list(_sections(compiled))
    imports = next(content for kind, content in sections if kind == _IMPORTS)
    _complain({name.decode() for name in re.findall(rb"env.(\w+)", imports)} - {"__linear_memory", "__stack_pointer"})
    symbols = next(content for kind, content in sections if kind == _CUSTOM and content.startswith(b"\x07linking"))
    exports = _number(len(names))
    for name in names:
        counted = _counted(name.encode())
        # Of a function without flags; there are fewer than 128.
        found: Any = re.search(rb"\0\0([\0-\x7f])" + re.escape(counted), symbols)
        exports += counted + b"\0" + found[1]
    sections = [(kind, content) for kind, content in sections if kind != _CUSTOM]
    place = next(i for i, (kind, _) in enumerate(sections) if kind in (_ELEMENTS, _CODE, _DATA_COUNT))
    sections.insert(place, (_EXPORTS, exports))
    return compiled[:8] + b"".join(bytes([kind]) + _counted(content) for kind, content in sections)


def _complain(missing: Collection[str]) -> None:
    if missing:
        raise RuntimeError(
            f"kernels must not need {', '.join(sorted(missing))}: a module has itself and its memory only"
        )


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


def _number(n: int) -> bytes:
    """Write a number, seven bits a byte (LEB128)."""
    return bytes([n]) if n < 0x80 else bytes([n & 0x7F | 0x80]) + _number(n >> 7)


def _counted(content: bytes) -> bytes:
    return _number(len(content)) + content


def write(path: str) -> None:
    """Write the module of `exported` kernels into a file, or end with a sentence."""
    try:
        Path(path).write_bytes(module(exported()))
    except (OSError, RuntimeError) as error:
        sys.exit(str(error))


def main() -> int:
    """Write the file that the command line names, by a Python whose Numba compiles for no processor in particular."""
    parser = argparse.ArgumentParser(prog="python -m fastws.kernels.wasm", description="Write kernels as WebAssembly.")
    parser.add_argument("file", type=Path)
    path = parser.parse_args().file
    if not path.parent.is_dir():
        parser.error(f"there is no folder {path.parent}")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("NUMBA_") or name == "NUMBA_CACHE_DIR"
    }
    program = f"from fastws.kernels.wasm import write; write({str(path)!r})"
    return subprocess.run([sys.executable, "-c", program], env=kept | {"NUMBA_CPU_NAME": "generic"}).returncode


if __name__ == "__main__":
    sys.exit(main())
