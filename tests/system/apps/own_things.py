"""A program whose own things travel in many ways; prints what is wrong."""

import abc
import asyncio
import collections
import contextlib
import dataclasses
import enum
import functools
import multiprocessing
import os
import pickle
import shelve
import sys
import tempfile
import typing

from concurrent.apps import ClusterExecutor, LocalCluster

T = typing.TypeVar("T")
Bound = typing.TypeVar("Bound", bound="Square", covariant=True)
P = typing.ParamSpec("P")
UserId = typing.NewType("UserId", int)
MARK = object()


class Missing:
    def __reduce__(self):
        return "MISSING"


MISSING = Missing()


class Colour(enum.Enum):
    RED = 1
    BLUE = 2

    def other(self):
        return Colour.BLUE if self is Colour.RED else Colour.RED


class Flags(enum.IntFlag):
    A = 1
    B = 2


@dataclasses.dataclass(frozen=True)
class Data:
    x: int
    y: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Slotted:
    x: int


class Pair(typing.NamedTuple):
    left: int
    right: int = 0

    def total(self):
        return self.left + self.right


Old = collections.namedtuple("Old", "a b")


class Named(typing.Protocol):
    def name(self): ...


@typing.runtime_checkable
class Sized(typing.Protocol):
    def size(self): ...


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...

    @property
    def double(self):
        return 2 * self.area()


class Meta(type):
    def __new__(cls, name, bases, names):
        return super().__new__(cls, name, bases, {**names, "made": "by meta"})


class WithMeta(metaclass=Meta):
    pass


class Square(Shape):
    __slots__ = ("side",)
    sides: typing.ClassVar[int] = 4

    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side**2

    @staticmethod
    def unit():
        return Square(1)

    @classmethod
    def of(cls, side):
        return cls(side)

    def size(self):
        return self.side

    class Corner:
        def __init__(self, n):
            self.n = n

        def __eq__(self, other):
            return self.n == other.n and type(self) is type(other)

        __hash__ = None


class Box(typing.Generic[T]):
    def __init__(self, x: T):
        self.x = x


class Cached:
    def __init__(self, x):
        self.x = x

    @functools.cached_property
    def twice(self):
        return 2 * self.x

    @functools.lru_cache(maxsize=8)  # noqa: B019
    def times(self, n):
        return self.x * n

    part = functools.partialmethod(times, 5)

    @functools.singledispatchmethod
    def show(self, x):
        return "thing"

    @show.register
    def _(self, x: int):
        return "int"


KEPT = Cached(1)
KEPT.show(1)


@functools.cache
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@functools.singledispatch
def describe(x):
    return "thing"


@describe.register
def _(x: int):
    return "int"


def traced(function):
    @functools.wraps(function)
    def wrapper(*args):
        return "traced", function(*args)

    return wrapper


@traced
def decorated(x):
    return x + 1


@contextlib.contextmanager
def entered(x):
    yield x + 1


def counting(n):
    yield from range(n)


async def later(x):
    await asyncio.sleep(0)
    return x * 2


def add(x, y, *, z=3, mark=MARK, missing=MISSING):
    return x + y + z, mark is MARK, missing is MISSING


add_two = functools.partial(add, 2)


def is_mark(thing):
    return thing is MARK


def use_enum():
    return Colour.RED.other()


def give(name):
    return globals()[name]


def make_local(n):
    class Local:
        value = n

        def get(self):
            return self.value

    return Local


class Base:
    def who(self):
        return "base"

    @classmethod
    def kind(cls):
        return "base", cls.__name__


class Derived(Base, list):
    def who(self):
        return "derived"

    def append(self, x):
        raise RuntimeError

    @classmethod
    def kind(cls):
        return "derived", cls.__name__

    def parents(self):
        return super().who, super().append, super().kind


def identity(x):
    return x


def parts(x):
    return x.__name__, x.__module__, x.__bound__, x.__constraints__, x.__covariant__


def pickled(x):
    return pickle.loads(pickle.dumps(x)) == x, type(pickle.loads(pickle.dumps(x))) is type(x)


def in_shelf(x):
    with tempfile.TemporaryDirectory() as folder, shelve.open(os.path.join(folder, "shelf")) as shelf:
        shelf["x"] = x
        return shelf["x"] == x


def inner(method, x):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map(identity, [x, x])


def use_method_with_cache():
    """Newer Pythons keep the bound methods of ``singledispatchmethod``."""
    return Cached(1).show(1), KEPT.show("")


def use_main():
    import __main__

    return __main__.Square(3).area(), sys.modules["__main__"].__name__


counter = 0


def count():
    global counter
    counter += 1
    return counter


def remember(x):
    global remembered
    remembered = x


def recall():
    return remembered


bad = []


def check(name, seen, wanted):
    if seen != wanted:
        bad.append(name)
        print("WRONG", name, repr(seen)[:300], "wanted", wanted)


def check_functions_and_values(run):
    check("mark as argument", run(is_mark, MARK), True)  # before anything else knows it
    check("lru", run(fibonacci, 20), 6765)
    check("singledispatch", [run(describe, 1), run(describe, "x")], ["int", "thing"])
    check("decorated", run(decorated, 1), ("traced", 2))
    check("contextmanager", run(lambda: entered(1).__enter__()), 2)
    check("generator function", run(lambda: list(counting(3))), [0, 1, 2])
    check("async function", run(lambda: asyncio.run(later(2))), 4)
    check("partial", run(add_two, 5, z=1), (8, True, True))
    check("defaults", run(add, 1, 2), (6, True, True))
    check("enum", run(use_enum) is Colour.BLUE, True)
    check("enum arg", run(identity, Colour.RED) is Colour.RED, True)
    check("flag", run(identity, Flags.A | Flags.B), Flags.A | Flags.B)
    check("dataclass", run(identity, Data(1, [2])), Data(1, [2]))
    check("slotted dataclass", run(identity, Slotted(1)), Slotted(1))
    check("named tuple", (run(Pair(1, 2).total), run(identity, Pair(1))), (3, Pair(1)))
    check("namedtuple", type(run(identity, Old(1, 2))) is Old, True)
    check("protocol", run(lambda: isinstance(Square(1), Sized)), True)
    check("abc", run(lambda: Square(3).double), 18)


def check_classes(run):
    check("instance home", type(run(Square, 4)) is Square, True)
    check("method", run(Square(4).area), 16)
    check("static", type(run(Square.unit)) is Square, True)
    check("class method", run(Square.of, 3).side, 3)
    check("bound classmethod", run(Square(1).of, 3).side, 3)
    check("nested class", run(identity, Square.Corner(3)), Square.Corner(3))
    check("nested class made there", type(run(lambda: Square.Corner(3))) is Square.Corner, True)
    check("meta", run(lambda: WithMeta.made), "by meta")
    check("generic", run(lambda: Box[int](3).x), 3)
    check("cached_property", run(lambda: Cached(3).twice), 6)
    check("cached method", run(Cached(3).times, 2), 6)
    check("partialmethod", run(lambda: Cached(3).part()), 15)
    check("singledispatchmethod", run(lambda: (Cached(1).show(1), Cached(1).show(""))), ("int", "thing"))
    check("singledispatchmethod that was called", run(use_method_with_cache), ("int", "thing"))
    check("newtype", run(lambda: UserId(4)), 4)
    check("newtype home", run(identity, UserId) is UserId, True)
    check("typevar home", run(identity, T) is T, True)
    check("parts of a typevar", run(parts, Bound), parts(Bound))
    check("paramspec home", run(identity, P) is P, True)


def check_identity_and_methods(run):
    derived = Derived()
    local = make_local(7)
    parents = derived.parents()
    for thing in (
        MISSING,
        MARK,
        identity,
        Square,
        fibonacci,
        Colour.RED,
        decorated,
        describe,
        len,
        Base.kind.__func__,
    ):
        check(f"{thing} comes home as itself", run(identity, thing) is thing, True)
        check(f"{thing} in a list", run(identity, [thing])[0] is thing, True)
    check("super().who", run(parents[0]), "base")
    check("super().append", run(parents[1], 1), None)
    check("super().kind", run(parents[2]), ("base", "Derived"))
    check("class method of super", run(super(Derived, Derived).kind), ("base", "Derived"))
    check("builtin method", run([1, 2].index, 2), 1)
    check("builtin method of own", run(derived.count, 2), 0)
    check("local class", run(local().get), 7)
    check("local class there", run(lambda: make_local(3)().get()), 3)


def check_processes(run, times):
    for thing in (
        Data(1),
        Colour.RED,
        Pair(1),
        Square.Corner(1),
        fibonacci,
        identity,
        Square,
        MISSING,
        UserId,
        T,
        Bound,
        P,
        decorated,
    ):
        check(f"pickle of {thing}", run(pickled, thing), (True, True))
    check("shelve", run(in_shelf, Data(1)), True)
    check("fork pool", run(inner, "fork", Data(1)), [Data(1)] * 2)
    check("spawn pool", run(inner, "spawn", Data(1)), [Data(1)] * 2)
    check("import __main__", run(use_main), (9, "__main__"))
    check("count", run(count), times + 1)
    check("remember", (run(remember, times), run(recall)), (None, times))
    check("exception class", run(lambda: 1 / 0), "ZeroDivisionError: division by zero")


def main(cluster):
    def run(function, *args, **kwargs):
        try:
            return cluster.submit(function, *args, **kwargs).result(timeout=40)
        except Exception as error:  # boundary: shown and compared
            return f"{type(error).__name__}: {error}"

    for times in range(3):
        check_functions_and_values(run)
        check_classes(run)
        check_identity_and_methods(run)
        check_processes(run, times)
    print(len(bad), "wrong")


if __name__ == "__main__":
    if "thread" in sys.argv:
        import threading
        import time

        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    if "cluster" in sys.argv:
        with ClusterExecutor(sys.argv[-1]) as cluster:
            main(cluster)
    else:
        with LocalCluster(1) as cluster:
            main(cluster)
    os._exit(bool(bad))
