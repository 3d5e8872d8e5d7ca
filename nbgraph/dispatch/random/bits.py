"""The recurrences behind NumPy's bit generators, as formulas over the words of a state.

PCG64, PCG64DXSM    O'Neill, PCG: a family of simple fast space-efficient statistically good algorithms, 2014
SFC64               Doty-Humphrey, PractRand
Philox              Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011
MT19937             Matsumoto & Nishimura, ACM TOMACS 8 (1998)

The first three words are alike in all: half a word that was drawn and not used, whether there is one, and what is left
of a half that gives a few bits at a time. See `states` for the words after them.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from nbgraph.dispatch.random.stream import Words, outlined
from nbgraph.dispatch.scalar_value import Value, branch

HALF, HAS_HALF, SMALL, FIRST = range(4)

_PCG_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
_PCG_CHEAP_MULTIPLIER = 0xDA942042E4DD58B5
_PHILOX_MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_PHILOX_WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
_PHILOX_ROUNDS = 10
PHILOX_KEY, PHILOX_BUFFER, PHILOX_POSITION = FIRST + 4, FIRST + 6, FIRST + 10
MT_LENGTH, _MT_SHIFT = 624, 397
MT_POSITION = FIRST + MT_LENGTH // 2


def _wide(x: Value) -> Value:
    return x.to_integer("u", 128)


def _low(x: Value) -> Value:
    return x.to_integer("u", 64)


def _rotated(x: Value, left: int) -> Value:
    return (x << left) | (x >> (64 - left))


# --- PCG --------------------------------------------------------------------------------------------------------------

def _pair(words: Words, first: int) -> Value:
    return _wide(words.load(first)) | (_wide(words.load(first + 1)) << 64)


def _step(words: Words, multiplier: int) -> tuple[Value, Value]:
    """The 128-bit state before and after a step of the linear congruence."""
    state = _pair(words, FIRST)
    following = state * multiplier + _pair(words, FIRST + 2)
    words.store(FIRST, _low(following))
    words.store(FIRST + 1, _low(following >> 64))
    return state, following


def _pcg64(words: Words) -> Value:
    _, state = _step(words, _PCG_MULTIPLIER)
    high = _low(state >> 64)
    return (high ^ _low(state)).intrinsic("fshr", high ^ _low(state), high >> 58)


def _pcg64dxsm(words: Words) -> Value:
    state, _ = _step(words, _PCG_CHEAP_MULTIPLIER)
    high = _low(state >> 64)
    high = (high ^ (high >> 32)) * _PCG_CHEAP_MULTIPLIER
    return (high ^ (high >> 48)) * (_low(state) | 1)


# --- SFC --------------------------------------------------------------------------------------------------------------

def _sfc64(words: Words) -> Value:
    a, b, c, count = (words.load(FIRST + i) for i in range(4))
    result = a + b + count
    for i, value in enumerate((b ^ (b >> 11), c + (c << 3), _rotated(c, 24) + result, count + 1)):
        words.store(FIRST + i, value)
    return result


# --- Philox -----------------------------------------------------------------------------------------------------------

def _philox(words: Words) -> Value:
    refill, new = outlined(words.builder, "nbgraph_philox_refill",
                           ir.FunctionType(ir.VoidType(), [words.pointer.type]))
    if new:
        builder = ir.IRBuilder(refill.append_basic_block())
        _fill_philox(Words(builder, refill.args[0]))
        builder.ret_void()
    position = words.load(PHILOX_POSITION)

    def held() -> Value:
        words.store(PHILOX_POSITION, position + 1)
        return words.load(position + PHILOX_BUFFER)

    def filled() -> Value:
        words.builder.call(refill, [words.pointer])
        words.store(PHILOX_POSITION, 1)
        return words.load(PHILOX_BUFFER)

    return branch((position < 4).intrinsic("expect", True), held, filled)


def _fill_philox(words: Words) -> None:
    """The next counter, and its four numbers into the buffer."""
    carry = words.load(FIRST).constant(1)
    counter = []
    for i in range(4):
        total = words.load(FIRST + i) + carry
        carry = ((total == 0) & (carry == 1)).to_integer("u", 64)
        words.store(FIRST + i, total)
        counter.append(total)
    key = [words.load(PHILOX_KEY + i) for i in range(2)]
    for _ in range(_PHILOX_ROUNDS):
        first, second = (_wide(counter[i]) * m for i, m in zip((0, 2), _PHILOX_MULTIPLIERS))
        counter = [_low(second >> 64) ^ counter[1] ^ key[0], _low(second),
                   _low(first >> 64) ^ counter[3] ^ key[1], _low(first)]
        key = [k + weyl for k, weyl in zip(key, _PHILOX_WEYL)]
    for i, number in enumerate(counter):
        words.store(PHILOX_BUFFER + i, number)


# --- Mersenne Twister -------------------------------------------------------------------------------------------------

def _mt32(words: Words) -> Value:
    """The next 32 bits."""
    refill, new = outlined(words.builder, "nbgraph_mt19937_refill",
                           ir.FunctionType(ir.VoidType(), [words.pointer.type]))
    if new:
        builder = ir.IRBuilder(refill.append_basic_block())
        _fill_mt(Words(builder, refill.args[0]))
        builder.ret_void()
    held = words.load(MT_POSITION)

    def filled() -> Value:
        words.builder.call(refill, [words.pointer])
        return held.constant(0)

    position = branch((held < MT_LENGTH).intrinsic("expect", True), lambda: held, filled)
    words.store(MT_POSITION, position + 1)
    y = words.load(position + 2 * FIRST, 32)
    y = y ^ (y >> 11)
    y = y ^ ((y << 7) & 0x9D2C5680)
    y = y ^ ((y << 15) & 0xEFC60000)
    return y ^ (y >> 18)


def _fill_mt(words: Words) -> None:
    """All 624 numbers of 32 bits anew, in their places. Two loops, so that LLVM makes vector instructions of them."""
    builder, kind = words.builder, ir.IntType(64)

    def twist(here: Value | int, after: Value | int, far: Value | int) -> None:
        at, next_at, far_at = (i + 2 * FIRST for i in (here, after, far))
        y = (words.load(at, 32) & 0x80000000) | (words.load(next_at, 32) & 0x7FFFFFFF)
        twisted = (y >> 1) ^ ((y & 1) * 0x9908B0DF)
        words.store(at, words.load(far_at, 32) ^ twisted, 32)

    turn = MT_LENGTH - _MT_SHIFT
    for start, stop, shift in (0, turn, _MT_SHIFT), (turn, MT_LENGTH - 1, -turn):
        with cgutils.for_range(builder, ir.Constant(kind, stop), ir.Constant(kind, start)) as loop:
            here = Value(builder, loop.index, "i")
            twist(here, here + 1, here + shift)
    twist(MT_LENGTH - 1, 0, _MT_SHIFT - 1)


# --- what all of them give --------------------------------------------------------------------------------------------

_WHOLE = {"PCG64": _pcg64, "PCG64DXSM": _pcg64dxsm, "SFC64": _sfc64, "Philox": _philox}
KINDS = (*_WHOLE, "MT19937")


def whole(kind: str, words: Words) -> Value:
    """64 bits."""
    if kind != "MT19937":
        return _WHOLE[kind](words)
    high = _mt32(words).to_integer("u", 64)
    return (high << 32) | _mt32(words).to_integer("u", 64)


def half(kind: str, words: Words) -> Value:
    """32 bits: the lower half of 64, or the upper one, which the draw before has left."""
    if kind == "MT19937":
        return _mt32(words)

    def left() -> Value:
        words.store(HAS_HALF, 0)
        return words.load(HALF).to_integer("u", 32)

    def fresh() -> Value:
        bits = whole(kind, words)
        words.store(HAS_HALF, 1)
        words.store(HALF, bits >> 32)
        return bits.to_integer("u", 32)

    return branch(words.load(HAS_HALF) != 0, left, fresh)


def unit(kind: str, words: Words) -> Value:
    """A float64 in [0, 1): 53 bits."""
    if kind != "MT19937":
        return _fraction(whole(kind, words) >> 11)
    high = (_mt32(words) >> 5).to_integer("u", 64)
    return _fraction((high << 26) | (_mt32(words) >> 6).to_integer("u", 64))


def _fraction(bits: Value) -> Value:
    # Of a signed integer: processors without AVX-512 have no other conversion.
    return bits.to_integer("i", 64).to_float() * 2.0**-53


def unit32(kind: str, words: Words) -> Value:
    """A float32 in [0, 1): 24 bits."""
    return (half(kind, words) >> 8).to_float(32) * 2.0**-24
