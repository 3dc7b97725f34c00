"""`layout.connection`, compiled: a view of an array that nothing counts references to."""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array

from fastws.kernels.jit import INLINE
from fastws.kernels.layout import LANES, connection

__all__ = ["connection"]


@intrinsic
def _connection(typing_context: Any, data: Any, start: Any, n_rows: Any, n_columns: Any) -> Any:
    """Return what `connection` does."""
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
