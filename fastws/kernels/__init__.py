"""The compiled core: Eq 1, the delta rule of Eqs 4 and 7, and the loop over examples around them.

`units` has the equations, `connection` applies them to a layer (as does `wide`, in another way), `phases` makes wake
and sleep of it, and `run` is the loop. `sources` says where inputs come from, `random` where draws do;
`whole` is one example of the loop, written down; `steps`, `costs` and `code` are what else is computed with a net, and
`wasm` makes WebAssembly of them all. `types` says what they all take; it and `layout` need NumPy alone.
`docs/inside.rst` leads through the house.
"""
