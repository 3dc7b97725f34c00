"""Sixteen numbers at once: the vector type that the kernels are written in.

Sixteen neighbouring units of a layer, or one unit of each of sixteen machines, are one value, `Lanes`. Interpreted
(``NUMBA_DISABLE_JIT=1``) it is a NumPy array of sixteen elements, and the functions below do what they say. Compiled it
is an LLVM vector, which becomes one, two or four registers of the CPU at hand. Every operation rounds once, as IEEE 754
says, so that both ways, and every instruction set, give the same bits.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import PrimitiveModel, register_default
from numba.extending import intrinsic, lower_builtin, overload, type_callable
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

from fastws.kernels.jit import INLINE
from fastws.kernels.layout import LANES, connection


def load(array: NDArray[Any], row: int, column: int) -> NDArray[Any]:
    """Return sixteen elements: those of a row from a column on, or, of a 3-D array, those at a row and column."""
    _check_start(row, column)
    return (array[row, column : column + LANES] if array.ndim == 2 else array[row, column]).copy()


def store(array: NDArray[Any], row: int, column: int, lanes: NDArray[Any]) -> None:
    """Write sixteen elements where `load` finds them."""
    _check_start(row, column)
    if array.ndim == 2:
        array[row, column : column + LANES] = lanes
    else:
        array[row, column] = lanes


def _check_start(row: int, column: int) -> None:
    if row < 0 or column < 0:  # NumPy would count from the end; compiled code would read what is before the array
        raise IndexError(f"sixteen elements at [{row}, {column}] are out of bounds")


def load_bits(array: NDArray[Any], row: int, column: int) -> NDArray[np.uint32]:
    """Return what `load` does, as bit patterns of 32 bits."""
    return load(array.view(np.uint32), row, column)


def store_bits(array: NDArray[Any], row: int, column: int, lanes: NDArray[np.uint32]) -> None:
    """Write sixteen bit patterns of 32 bits where `load_bits` finds them."""
    store(array.view(np.uint32), row, column, lanes)


def spread(x: Any) -> NDArray[Any]:
    """Return sixteen copies of a NumPy scalar."""
    return np.full(LANES, x)


def lane_numbers() -> NDArray[np.uint32]:
    """Return 0, 1 … 15."""
    return np.arange(LANES, dtype=np.uint32)


def where(mask: NDArray[np.bool_], a: NDArray[Any], b: Any) -> NDArray[Any]:
    """Return `a` in the lanes where the mask holds and `b`, lanes or a number, in the others."""
    return np.where(mask, a, b).astype(a.dtype, copy=False)


def float_bits(x: NDArray[Any]) -> NDArray[Any]:
    """Return the bit patterns of float lanes as signed integers of the same width."""
    return x.view(f"i{x.itemsize}")


def float_from_bits(x: NDArray[Any]) -> NDArray[Any]:
    """Return the float lanes that have these bit patterns."""
    return x.view(f"f{x.itemsize}")


def signed(x: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Return uint32 lanes taken as int32."""
    return x.view(np.int32)


def rotate(x: NDArray[np.uint32], n: int) -> NDArray[np.uint32]:
    """Rotate uint32 to the left by 0 < n < 32 places."""
    return (x << np.uint32(n)) | (x >> np.uint32(32 - n))


def to_float(x: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the float32 nearest to each int32."""
    return x.astype(np.float32)


def to_double(x: NDArray[Any]) -> NDArray[np.float64]:
    """Return float32 or int64 lanes as float64."""
    return x.astype(np.float64)


class Lanes(types.Type):
    """The Numba type of sixteen elements of one scalar type."""

    def __init__(self, element: Any) -> None:
        self.element = element
        super().__init__(name=f"Lanes({element})")


@register_default(Lanes)
class LanesModel(PrimitiveModel):
    """How a compiled value of type `Lanes` is held: an LLVM vector."""

    def __init__(self, manager: Any, lanes: Lanes) -> None:
        boolean = lanes.element == types.boolean
        element = ir.IntType(1) if boolean else manager.lookup(lanes.element).get_value_type()
        super().__init__(manager, lanes, ir.VectorType(element, LANES))  # type: ignore[no-untyped-call]


FLOATS, DOUBLES = Lanes(types.float32), Lanes(types.float64)
INTS, LONGS, UINTS = Lanes(types.int32), Lanes(types.int64), Lanes(types.uint32)
MASK = Lanes(types.boolean)


def _returns(function: Callable[..., Any], typer: Callable[..., Any]) -> None:
    type_callable(function)(lambda context: typer)


def _lowers(function: Callable[..., Any], *arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Register the code of a function whose generator takes (context, builder, argument types, return type, values)."""

    def register(generate: Callable[..., Any]) -> Callable[..., Any]:
        @lower_builtin(function, *arguments)  # type: ignore[untyped-decorator]
        def lower(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
            return generate(context, builder, signature.args, signature.return_type, values)

        return generate

    return register


def _element_pointer(context: Any, builder: Any, array_type: Any, array: Any, row: Any, column: Any, lanes: Any) -> Any:
    """Return a pointer to sixteen elements; with NUMBA_BOUNDSCHECK the last of them is checked like the first.

    Of a connection, whose rows need not be whole vectors, it may be past the end of its row: memory goes on there.
    """
    fields = make_array(array_type)(context, builder, array)
    zero, others = (context.get_constant(types.intp, n) for n in (0, LANES - 1))
    first = [row, column, zero][: array_type.ndim]
    if context.enable_boundscheck:
        last = [*first[:-1], builder.add(first[-1], others)]
        n = [builder.extract_value(fields.shape, axis) for axis in range(array_type.ndim)]
        whole = [*n[:-1], builder.and_(builder.add(n[-1], others), builder.not_(others))]
        for indices, ends in ((first, n), (last, n if array_type.aligned else whole)):
            for axis, (index, end) in enumerate(zip(indices, ends, strict=True)):
                cgutils.do_boundscheck(context, builder, index, end, axis)
    element = cgutils.get_item_pointer(context, builder, array_type, fields, first, wraparound=False)
    return builder.bitcast(element, context.get_value_type(lanes).as_pointer())


def _repeat(builder: Any, scalar: Any) -> Any:
    undefined = ir.Constant(ir.VectorType(scalar.type, LANES), ir.Undefined)
    zero = ir.Constant(ir.IntType(32), 0)
    only = builder.insert_element(undefined, scalar, zero)
    return builder.shuffle_vector(only, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [zero] * LANES))


def _as_lanes(context: Any, builder: Any, value: Any, value_type: Any, element: Any) -> Any:
    if isinstance(value_type, Lanes):
        return value
    return _repeat(builder, context.cast(builder, value, value_type, element))


_returns(load, lambda array, row, column: Lanes(array.dtype))
_returns(store, lambda array, row, column, lanes: types.void)
_returns(load_bits, lambda array, row, column: UINTS)
_returns(store_bits, lambda array, row, column, lanes: types.void)
_returns(spread, lambda x: Lanes(x))
_returns(lane_numbers, lambda: UINTS)
_returns(where, lambda mask, a, b: a)
_returns(float_bits, lambda x: {FLOATS: INTS, DOUBLES: LONGS}[x])
_returns(float_from_bits, lambda x: {INTS: FLOATS, LONGS: DOUBLES}[x])
_returns(signed, lambda x: INTS)
_returns(rotate, lambda x, n: x)
_returns(to_float, lambda x: FLOATS)
_returns(to_double, lambda x: DOUBLES)


@_lowers(load, types.Array, types.Integer, types.Integer)
@_lowers(load_bits, types.Array, types.Integer, types.Integer)
def _load(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    row, column = (context.cast(builder, v, t, types.intp) for v, t in zip(values[1:], args[1:], strict=True))
    pointer = _element_pointer(context, builder, args[0], values[0], row, column, result)
    return builder.load(pointer, align=args[0].dtype.bitwidth // 8)


@_lowers(store, types.Array, types.Integer, types.Integer, Lanes)
@_lowers(store_bits, types.Array, types.Integer, types.Integer, Lanes)
def _store(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    row, column = (context.cast(builder, v, t, types.intp) for v, t in zip(values[1:3], args[1:3], strict=True))
    pointer = _element_pointer(context, builder, args[0], values[0], row, column, args[3])
    builder.store(values[3], pointer, align=args[0].dtype.bitwidth // 8)
    return context.get_dummy_value()


@_lowers(spread, types.Number)
def _spread(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    return _repeat(builder, values[0])


@_lowers(lane_numbers)
def _lane_numbers(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    return ir.Constant(context.get_value_type(UINTS), list(range(LANES)))


@_lowers(where, Lanes, Lanes, types.Any)
def _where(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    return builder.select(values[0], values[1], _as_lanes(context, builder, values[2], args[2], result.element))


for _function in (float_bits, float_from_bits, signed):

    @_lowers(_function, Lanes)
    def _bitcast(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
        return builder.bitcast(values[0], context.get_value_type(result))


@_lowers(rotate, Lanes, types.Integer)
def _rotate(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    left = _as_lanes(context, builder, values[1], args[1], result.element)
    right = builder.sub(ir.Constant(left.type, [32] * LANES), left)
    return builder.or_(builder.shl(values[0], left), builder.lshr(values[0], right))


@_lowers(to_float, Lanes)
def _to_float(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    return builder.sitofp(values[0], context.get_value_type(FLOATS))


@_lowers(to_double, Lanes)
def _to_double(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    convert = builder.fpext if args[0] == FLOATS else builder.sitofp
    return convert(values[0], context.get_value_type(DOUBLES))


_FLOAT_INSTRUCTIONS = {operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul", operator.truediv: "fdiv"}
_INTEGER_INSTRUCTIONS = {
    operator.add: "add",
    operator.sub: "sub",
    operator.xor: "xor",
    operator.or_: "or_",
    operator.and_: "and_",
    operator.lshift: "shl",
    operator.rshift: "lshr",
}
_COMPARISONS = {operator.lt: "<", operator.gt: ">", operator.ne: "!="}


def _register_operator(function: Callable[[Any, Any], Any]) -> None:
    def result(a: Any, b: Any) -> Any:
        lanes = [t for t in (a, b) if isinstance(t, Lanes)]
        if not lanes or lanes[0] != lanes[-1]:
            return None
        return MASK if function in _COMPARISONS else lanes[0]

    def generate(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
        element: Any = next(t.element for t in args if isinstance(t, Lanes))
        a, b = (_as_lanes(context, builder, v, t, element) for v, t in zip(values, args, strict=True))
        if isinstance(element, types.Float):
            if function in _COMPARISONS:
                # As in NumPy, NaN is unequal to everything, and neither less nor greater than anything.
                compare = builder.fcmp_unordered if function is operator.ne else builder.fcmp_ordered
                return compare(_COMPARISONS[function], a, b)
            return getattr(builder, _FLOAT_INSTRUCTIONS[function])(a, b)
        if function in _COMPARISONS:
            compare = builder.icmp_signed if element.signed else builder.icmp_unsigned
            return compare(_COMPARISONS[function], a, b)
        if function is operator.rshift and element.signed:
            return builder.ashr(a, b)
        return getattr(builder, _INTEGER_INSTRUCTIONS[function])(a, b)

    _returns(function, result)
    for arguments in ((Lanes, Lanes), (Lanes, types.Number), (types.Number, Lanes)):
        _lowers(function, *arguments)(generate)


for _operator in {*_FLOAT_INSTRUCTIONS, *_INTEGER_INSTRUCTIONS, *_COMPARISONS}:
    _register_operator(_operator)


@intrinsic
def _connection(typing_context: Any, data: Any, start: Any, n_rows: Any, n_columns: Any) -> Any:
    """Return what `layout.connection` does, of an array that nothing counts references to."""
    # Rows begin anywhere: this tells a connection from other arrays.
    result = types.Array(data.dtype, data.ndim + 1, "C", aligned=False)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        fields = make_array(data)(context, builder, values[0])
        n = context.get_constant(types.intp, LANES)
        zero, item = context.get_constant(types.intp, 0), context.get_constant(types.intp, data.dtype.bitwidth // 8)
        place = [values[1], zero][: data.ndim]
        view = make_array(result)(context, builder)
        row = builder.mul(values[3], item)
        shape, strides = [values[2], values[3]], [row, item]
        if data.ndim == 2:
            shape, strides = [*shape, n], [builder.mul(stride, n) for stride in strides] + [item]
        populate_array(
            view,
            cgutils.get_item_pointer(context, builder, data, fields, place, wraparound=False),
            cgutils.pack_array(builder, shape),
            cgutils.pack_array(builder, strides),
            item,
            None,
        )
        return view._getvalue()

    return result(data, types.intp, types.intp, types.intp), generate


@overload(connection, jit_options=INLINE)
def _compiled_connection(stack: Any, level: Any) -> Any:
    view_of: Any = _connection

    def view(stack: Any, level: Any) -> Any:
        return view_of(stack.data, stack.places[level, 0], stack.places[level, 1], stack.places[level, 2])

    return view
