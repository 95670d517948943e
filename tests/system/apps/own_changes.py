"""A program that changes its own code and data between submits; prints what its tasks see wrongly."""

import functools
import os
import threading
import typing

from concurrent.apps import LocalCluster

SCALE = 1
FACTOR = 1
ITEMS = [1]
TABLE = {"a": 1}
LARGE = bytearray(4_000_000)
NAME = "old"


def helper():
    return "old"


def outer():
    return helper()


def use_scale(x):
    return SCALE * x


def use_items():
    return ITEMS


def use_table():
    return TABLE["a"]


def use_large():
    return LARGE[5]


def use_name():
    return NAME


def with_default(x=1, *, y=1):
    return x, y


def attributed():
    return attributed.mark


attributed.mark = 1


class Config:
    level = 1
    items: typing.ClassVar[list] = []

    class Inner:
        table: typing.ClassVar[dict] = {}

    def __init__(self):
        self.x = 1

    def read(self):
        return "old", self.level, SCALE


class Sub(Config):
    pass


CONFIG = Config()


def use_config():
    return CONFIG.x, CONFIG.level, CONFIG.read()[0]


def use_several():
    return SCALE, ITEMS[-1], Config.Inner.table["a"]


def use_sub():
    return Sub().read()


def make(n):
    def inner():
        return n

    def put(x):
        nonlocal n
        n = x

    return inner, put


closed, put = make(1)


def use_closed():
    return closed()


def times_factor(function):
    @functools.wraps(function)
    def wrapper(*args):
        return FACTOR * function(*args)

    return wrapper


@times_factor
def decorated(x):
    return x


def nested():
    def deep():
        return SCALE

    return deep()


def comprehension():
    return [SCALE * i for i in range(2)]


class Meta(type):
    @property
    def scale(cls):
        return SCALE


class WithMeta(metaclass=Meta):
    pass


def use_meta():
    return WithMeta.scale


bad = []


def check(name, seen, wanted):
    if seen != wanted or type(seen) is not type(wanted):
        bad.append(name)
        print("WRONG", name, repr(seen)[:200], "wanted", wanted)


def by_lambda():
    return SCALE


in_lambda = lambda: helper()  # noqa: E731


def run(function, *args):
    return cluster.submit(function, *args).result(30)


def run_all():
    functions = [
        lambda: Config.Inner.table, lambda: Config.items,
        use_items, use_table, use_large, use_name, outer, with_default, attributed, use_config, use_sub,
        use_closed, nested, comprehension, use_meta, by_lambda, in_lambda, CONFIG.read, Sub().read, closed,
    ]  # fmt: skip
    for function in functions:
        run(function)
    run(use_scale, 1)
    run(decorated, 1)


def change_constants():
    global SCALE, NAME

    pending = []
    for SCALE in range(2, 30):
        pending += [
            (cluster.submit(use_scale, 2), SCALE * 2),
            (cluster.submit(CONFIG.read), ("old", 1, SCALE)),
            (cluster.submit(by_lambda), SCALE),
            (cluster.submit(use_meta), SCALE),
            (cluster.submit(nested), SCALE),
            (cluster.submit(comprehension), [0, SCALE]),
        ]
    for future, wanted in pending:
        check("each submit has the value of its time", future.result(30), wanted)
    check("map", list(cluster.map(use_scale, range(3))), [0, 29, 58])
    check("map in chunks", list(cluster.map(use_scale, range(3), chunksize=2)), [0, 29, 58])
    for SCALE in (1, 1.0, True):
        check("an equal value of another type", run(by_lambda), SCALE)
    NAME = "new"
    check("a text", run(use_name), "new")


def change_in_place():
    global ITEMS

    ITEMS.append(2)
    check("a list in place", run(use_items), [1, 2])
    ITEMS = [1, 2]
    check("an equal list", run(use_items), [1, 2])
    ITEMS.append(3)
    check("which changes in its turn", run(use_items), [1, 2, 3])
    TABLE["a"] = 5
    check("a dictionary in place", run(use_table), 5)
    LARGE[5] = 7
    check("a large value in place", run(use_large), 7)
    CONFIG.x = 7
    check("an instance in place", run(use_config)[0], 7)


def use_what_is_missing():
    return missing_helper(), absent


def use_in_class_body():
    class Local:
        scale = SCALE

    return Local.scale


def define_what_is_missing():
    global missing_helper, absent

    error = cluster.submit(use_what_is_missing).exception(30)
    check("a name that is not there", str(error), "name 'missing_helper' is not defined")
    missing_helper = eval("lambda: absent")
    absent = 5
    check("and is defined later", run(use_what_is_missing), (5, 5))
    absent = 6
    check("and again", run(use_what_is_missing), (6, 6))
    del absent
    error = cluster.submit(use_what_is_missing).exception(30)
    check("and deleted", str(error), "name 'absent' is not defined")
    globals()["absent"] = 7
    check("and is there again", run(use_what_is_missing), (7, 7))
    check("a name in the body of a class", run(use_in_class_body), SCALE)


def change_several_at_once():
    global SCALE

    pending = []
    for SCALE in range(100, 105):
        ITEMS.append(SCALE)
        Config.Inner.table["a"] = SCALE
        pending.append((cluster.submit(use_several), (SCALE, SCALE, SCALE)))
    for future, wanted in pending:
        check("a constant and what changes in place", future.result(30), wanted)
    Config.items = 5
    check("an attribute that is no list any more", run(lambda: Config.items), 5)
    Config.items = [6]
    check("and is one again", run(lambda: Config.items), [6])
    Config.items.append(7)
    check("which changes in its turn", run(lambda: Config.items), [6, 7])
    SCALE = 1


def change_classes():
    Config.level = 3
    check("an attribute of a class", run(use_config)[1], 3)
    check("an attribute of its base", run(use_sub)[1], 3)
    check("seen by a method", run(CONFIG.read)[1], 3)
    Config.read = lambda self: ("new", self.level)
    check("a method", run(use_config)[2], "new")
    check("a bound method", run(CONFIG.read)[0], "new")
    check("a method of its base", run(use_sub)[0], "new")


def change_functions():
    global helper, FACTOR

    def helper():
        return "new"

    check("a helper", run(outer), "new")
    check("a helper of a lambda", run(in_lambda), "new")
    with_default.__defaults__ = (9,)
    check("defaults", run(with_default), (9, 1))
    with_default.__kwdefaults__["y"] = 7
    check("keyword defaults in place", run(with_default), (9, 7))
    with_default.__kwdefaults__ = {"y": 8}
    check("keyword defaults", run(with_default), (9, 8))
    attributed.mark = 2
    check("an attribute of a function", run(attributed), 2)
    put(5)
    check("the closure of a function", run(use_closed), 5)
    check("the closure of the function that is run", run(closed), 5)
    FACTOR = 3
    check("a constant of a decorator", run(decorated, 2), 6)
    use_name.__code__ = (lambda: "code").__code__
    check("the code of a function", run(use_name), "code")


def define_again():
    global outer, Config, SCALE

    def outer():
        return f"outer {helper()}"

    check("a function that is run", run(outer), "outer new")

    class Config:
        level = 10

        def read(self):
            return "again", self.level

    check("a class that is defined again", run(lambda: Config().read()), ("again", 10))
    check("an instance of it", run(Config().read), ("again", 10))
    check("comes home as one", type(run(Config)) is Config, True)

    SCALE = threading.Lock()
    check("what cannot travel harms nobody else", run(use_items), ITEMS)
    check("but who uses it", isinstance(cluster.submit(use_scale, 1).exception(30), NameError), True)
    SCALE = 4
    check("until it can again", run(use_scale, 2), 8)


if __name__ == "__main__":
    with LocalCluster(1) as cluster:
        for _ in range(3):
            run_all()
        for change in (
            change_constants,
            change_in_place,
            define_what_is_missing,
            change_several_at_once,
            change_classes,
            change_functions,
            define_again,
        ):
            change()
    print(len(bad), "wrong")
    os._exit(bool(bad))
