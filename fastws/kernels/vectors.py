"""What `lanes` says, compiled: a Numba type that is a vector of LLVM, and the code of each function and operator."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import PrimitiveModel, register_default
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array, populate_array

from fastws.kernels.lanes import (
    add_product,
    float_bits,
    float_from_bits,
    lane_numbers,
    load,
    load_bits,
    load_block,
    repeat,
    rotate,
    signed,
    spread,
    spread_element,
    store,
    store_bits,
    to_double,
    to_float,
    where,
)
from fastws.kernels.layout import BLOCK, LANES, connection


class Lanes(types.Type):
    """The Numba type of so many elements of one scalar type."""

    def __init__(self, element: Any, n: int = LANES) -> None:
        self.element = element
        self.n = n
        super().__init__(name=f"Lanes({element}, {n})")

    def of(self, element: Any) -> "Lanes":
        """Return the type of as many elements of another type."""
        return Lanes(element, self.n)


@register_default(Lanes)
class LanesModel(PrimitiveModel):
    """How a compiled value of type `Lanes` is held: an LLVM vector."""

    def __init__(self, manager: Any, lanes: Lanes) -> None:
        boolean = lanes.element == types.boolean
        element = ir.IntType(1) if boolean else manager.lookup(lanes.element).get_value_type()
        super().__init__(manager, lanes, ir.VectorType(element, lanes.n))  # type: ignore[no-untyped-call]


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
    """Return a pointer to as many elements; with NUMBA_BOUNDSCHECK the last of them is checked like the first.

    Of a connection, whose rows need not be whole vectors, it may be past the end of its row: memory goes on there.
    """
    fields = make_array(array_type)(context, builder, array)
    zero, others = (context.get_constant(types.intp, n) for n in (0, lanes.n - 1))
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


def _repeat(builder: Any, scalar: Any, n: int) -> Any:
    undefined = ir.Constant(ir.VectorType(scalar.type, n), ir.Undefined)
    zero = ir.Constant(ir.IntType(32), 0)
    only = builder.insert_element(undefined, scalar, zero)
    return builder.shuffle_vector(only, undefined, ir.Constant(ir.VectorType(ir.IntType(32), n), [zero] * n))


def _as_lanes(context: Any, builder: Any, value: Any, value_type: Any, lanes: Any) -> Any:
    if isinstance(value_type, Lanes):
        return value
    return _repeat(builder, context.cast(builder, value, value_type, lanes.element), lanes.n)


_SAME_BITS = {types.float32: types.int32, types.float64: types.int64}
_SAME_BITS |= {bits: number for number, bits in _SAME_BITS.items()}

_returns(load, lambda array, row, column, like=None: Lanes(array.dtype, like.n if like else LANES))
_returns(load_block, lambda array, row, column: Lanes(array.dtype, BLOCK))
_returns(store, lambda array, row, column, lanes: types.void)
_returns(load_bits, lambda array, row, column: Lanes(types.uint32))
_returns(store_bits, lambda array, row, column, lanes: types.void)
_returns(spread, lambda x, like=None: Lanes(x, like.n if like else LANES))
_returns(spread_element, lambda array, row, column, like: like.of(array.dtype))
_returns(repeat, lambda x, like: like)
_returns(lane_numbers, lambda like: like.of(types.uint32))
_returns(where, lambda mask, a, b: a)
_returns(add_product, lambda a, state, b: a)
_returns(float_bits, lambda x: x.of(_SAME_BITS[x.element]))
_returns(float_from_bits, lambda x: x.of(_SAME_BITS[x.element]))
_returns(signed, lambda x: x.of(types.int32))
_returns(rotate, lambda x, n: x)
_returns(to_float, lambda x: x.of(types.float32))
_returns(to_double, lambda x: x.of(types.float64))


@_lowers(load, types.Array, types.Integer, types.Integer)
@_lowers(load, types.Array, types.Integer, types.Integer, Lanes)
@_lowers(load_block, types.Array, types.Integer, types.Integer)
@_lowers(load_bits, types.Array, types.Integer, types.Integer)
def _load(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    row, column = (context.cast(builder, v, t, types.intp) for v, t in zip(values[1:3], args[1:3], strict=True))
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
@_lowers(spread, types.Number, Lanes)
def _spread(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    return _repeat(builder, values[0], result.n)


@_lowers(spread_element, types.Array, types.Integer, types.Integer, Lanes)
def _spread_element(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    row, column = (context.cast(builder, v, t, types.intp) for v, t in zip(values[1:3], args[1:3], strict=True))
    fields = make_array(args[0])(context, builder, values[0])
    if context.enable_boundscheck:
        for axis, index in enumerate((row, column)):
            end = builder.extract_value(fields.shape, axis)
            cgutils.do_boundscheck(context, builder, index, end, axis)
    pointer = cgutils.get_item_pointer(context, builder, args[0], fields, [row, column], wraparound=False)
    return _repeat(builder, builder.load(pointer), result.n)


@_lowers(repeat, Lanes, Lanes)
def _repeat_lanes(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    places = [i % args[0].n for i in range(result.n)]
    undefined = ir.Constant(values[0].type, ir.Undefined)
    return builder.shuffle_vector(values[0], undefined, ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places))


@_lowers(lane_numbers, Lanes)
def _lane_numbers(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    return ir.Constant(context.get_value_type(result), list(range(result.n)))


@_lowers(where, Lanes, Lanes, types.Any)
def _where(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    return builder.select(values[0], values[1], _as_lanes(context, builder, values[2], args[2], result))


@_lowers(add_product, Lanes, Lanes, Lanes)
def _add_product(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    vector = context.get_value_type(result)
    signature = ir.FunctionType(vector, [vector] * 3)
    fmuladd = cgutils.get_or_insert_function(builder.module, signature, f"llvm.fmuladd.v{result.n}f32")
    return builder.call(fmuladd, [values[1], values[2], values[0]])


for _function in (float_bits, float_from_bits, signed):

    @_lowers(_function, Lanes)
    def _bitcast(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
        return builder.bitcast(values[0], context.get_value_type(result))


@_lowers(rotate, Lanes, types.Integer)
def _rotate(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    left = _as_lanes(context, builder, values[1], args[1], result)
    right = builder.sub(ir.Constant(left.type, [32] * result.n), left)
    return builder.or_(builder.shl(values[0], left), builder.lshr(values[0], right))


@_lowers(to_float, Lanes)
def _to_float(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    return builder.sitofp(values[0], context.get_value_type(result))


@_lowers(to_double, Lanes)
def _to_double(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    convert = builder.fpext if isinstance(args[0].element, types.Float) else builder.sitofp
    return convert(values[0], context.get_value_type(result))


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
        return lanes[0].of(types.boolean) if function in _COMPARISONS else lanes[0]

    def generate(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
        lanes: Any = next(t for t in args if isinstance(t, Lanes))
        element = lanes.element
        a, b = (_as_lanes(context, builder, v, t, lanes) for v, t in zip(values, args, strict=True))
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


# Rows begin anywhere: this tells a connection from other arrays.
_returns(connection, lambda stack, level: types.Array(stack[0].dtype, stack[0].ndim + 1, "C", aligned=False))


@_lowers(connection, types.BaseNamedTuple, types.Integer)
def _connection(context: Any, builder: Any, args: Any, result: Any, values: Any) -> Any:
    data_type, places_type = args[0]
    data, places = (make_array(t)(context, builder, builder.extract_value(values[0], i)) for i, t in enumerate(args[0]))
    level = context.cast(builder, values[1], args[1], types.intp)
    start, n_rows, n_columns = (
        builder.load(
            cgutils.get_item_pointer(
                context, builder, places_type, places, [level, context.get_constant(types.intp, i)], wraparound=False
            )
        )
        for i in range(3)
    )
    n, zero = context.get_constant(types.intp, LANES), context.get_constant(types.intp, 0)
    item = context.get_constant(types.intp, data_type.dtype.bitwidth // 8)
    row = builder.mul(n_columns, item)
    shape, strides = [n_rows, n_columns], [row, item]
    if data_type.ndim == 2:
        shape, strides = [*shape, n], [builder.mul(stride, n) for stride in strides] + [item]
    first = [start, zero][: data_type.ndim]
    view = make_array(result)(context, builder)
    populate_array(
        view,
        cgutils.get_item_pointer(context, builder, data_type, data, first, wraparound=False),
        cgutils.pack_array(builder, shape),
        cgutils.pack_array(builder, strides),
        item,
        None,
    )
    return view._getvalue()
