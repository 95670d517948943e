# cython: language_level=3, boundscheck=False, wraparound=False
"""The compiled kernel; see its twin kernel_py.py.

MD5 as in R. Rivest, "The MD5 Message-Digest Algorithm", RFC 1321, 1992, for messages of one block: padding and
length stand in the block once, and the next number changes a digit or two of it.
"""

from libc.stdint cimport uint32_t, uint64_t

import math

from concurrent.apps.samples.md5reverse.candidates import text_of

cdef struct Message:
    uint32_t words[16]  # the block: bytes are packed with the lowest first, on every machine
    int length

cdef struct State:
    uint32_t a, b, c, d

cdef uint32_t SINES[64]  # T of the RFC, its section 3.4
cdef int step
for step in range(64):
    SINES[step] = int(4294967296 * abs(math.sin(step + 1)))

cdef uint32_t *ROUND_SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]


cdef inline uint32_t _in_word(uint32_t byte, int position) noexcept nogil:
    """Return a byte where it stands in its word."""
    return byte << (8 * (position & 3))


cdef void _load(Message *message, const unsigned char *text, int length) noexcept nogil:
    """Make the block of a text: the text, a one bit, zeros, and its length in bits (section 3.1 and 3.2)."""
    cdef int position
    for position in range(16):
        message.words[position] = 0
    for position in range(length):
        message.words[position >> 2] |= _in_word(text[position], position)
    message.words[length >> 2] |= _in_word(0x80, length)
    message.words[14] = 8 * length
    message.length = length


cdef void _increment(Message *message) noexcept nogil:
    """Go on to the text of the next number; after 99 comes 100, one digit longer."""
    cdef int position = message.length - 1
    cdef uint32_t digit
    while position >= 0:
        digit = (message.words[position >> 2] >> (8 * (position & 3))) & 0xFF
        if digit != c'9':
            message.words[position >> 2] += _in_word(1, position)
            return
        message.words[position >> 2] -= _in_word(9, position)
        position -= 1
    message.words[0] += 1
    message.words[message.length >> 2] ^= _in_word(0x80 ^ c'0', message.length)
    message.length += 1
    message.words[message.length >> 2] |= _in_word(0x80, message.length)
    message.words[14] = 8 * message.length


cdef inline void _step(State *s, uint32_t mixed, uint32_t word, int number) noexcept nogil:
    """Do one of the 64 steps: a = b + ((a + mixed + word + T) <<< shift), then turn the four around."""
    cdef uint32_t total = s.a + mixed + word + SINES[number]
    cdef uint32_t shift = ROUND_SHIFTS[(number >> 4) * 4 + (number & 3)]
    s.a = s.d
    s.d = s.c
    s.c = s.b
    s.b = s.b + ((total << shift) | (total >> (32 - shift)))


cdef State _digest(const uint32_t *words) noexcept nogil:
    """Return the state after one block: the four rounds of section 3.4."""
    cdef State s = State(0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
    cdef int i
    for i in range(16):
        _step(&s, (s.b & s.c) | (~s.b & s.d), words[i], i)
    for i in range(16):
        _step(&s, (s.b & s.d) | (s.c & ~s.d), words[(5 * i + 1) & 15], 16 + i)
    for i in range(16):
        _step(&s, s.b ^ s.c ^ s.d, words[(3 * i + 5) & 15], 32 + i)
    for i in range(16):
        _step(&s, s.c ^ (s.b | ~s.d), words[(7 * i) & 15], 48 + i)
    s.a += <uint32_t> 0x67452301
    s.b += <uint32_t> 0xEFCDAB89
    s.c += <uint32_t> 0x98BADCFE
    s.d += <uint32_t> 0x10325476
    return s


def digest_of(number, int width):
    """Return the MD5 digest of a number's decimal text."""
    cdef bytes text = text_of(number, width)
    cdef Message message
    _load(&message, text, len(text))
    cdef State s = _digest(message.words)
    return b"".join([int(part).to_bytes(4, "little") for part in (s.a, s.b, s.c, s.d)])


def search(bytes digest not None, first, last, int width):
    """Return the first number whose text has the digest, None if none has; other threads run meanwhile."""
    if len(digest) != 16:
        raise ValueError(f"a digest has 16 bytes, not {len(digest)}")
    if first >= last:
        return None
    cdef bytes text = text_of(first, width)
    text_of(last - 1, width)  # refuses what would not fit, before the work begins
    cdef uint32_t a, b, c, d
    a, b, c, d = [int.from_bytes(digest[start : start + 4], "little") for start in range(0, 16, 4)]
    cdef uint64_t count = last - first, index = 0
    cdef Message message
    cdef State s
    _load(&message, text, len(text))
    with nogil:
        while index < count:
            s = _digest(message.words)
            if s.a == a and s.b == b and s.c == c and s.d == d:
                break
            index += 1
            if index < count:
                _increment(&message)
    return first + index if index < count else None
