# cython: language_level=3, boundscheck=False, wraparound=False
"""Whether names, functions and closures still hold the very objects that they held; see its twin glance_py.py.

It is asked before each task that is pushed. In Python that costs more than all else that a push does.

Up to Python 3.13 each dictionary has a number that becomes another one, which no dictionary has had, whenever
anything is put into it or taken out (PEP 509). While the number is the same there is nothing to look at inside.
"""

from cpython.dict cimport PyDict_GetItem, PyDict_Next, PyDict_Size
from cpython.object cimport PyObject

import gc


cdef extern from "Python.h":
    PyObject* PyFunction_GetCode(object function)
    PyObject* PyFunction_GetDefaults(object function)
    PyObject* PyFunction_GetKwDefaults(object function)
    PyObject* PyCell_GET(object cell)

cdef extern from *:
    """
    #if PY_VERSION_HEX < 0x030E0000 && !defined(PYPY_VERSION) && !defined(Py_GIL_DISABLED)
    #define GLANCE_VERSION(dictionary) ((unsigned long long) ((PyDictObject *) (dictionary))->ma_version_tag)
    #else
    #define GLANCE_VERSION(dictionary) (0ULL)
    #endif
    """
    unsigned long long GLANCE_VERSION(object dictionary)


cdef class Space:
    """A dictionary, and what some of its keys stood for; of a whole one there are no keys."""

    cdef dict space
    cdef tuple keys, before
    cdef object gone
    cdef unsigned long long version

    def __init__(self, space, keys, gone):
        self.space = space
        self.version = GLANCE_VERSION(space)  # before the values: another thread may change them meanwhile
        self.keys = keys
        self.before = tuple(space.values()) if keys is None else tuple([space.get(key, gone) for key in keys])
        self.gone = gone

    cdef bint is_same(self):
        cdef unsigned long long version = GLANCE_VERSION(self.space)
        if version and version == self.version:
            return True
        if not (self._is_whole_same() if self.keys is None else self._are_keys_same()):
            return False
        self.version = version
        return True

    cdef bint _are_keys_same(self):
        cdef PyObject* value
        cdef Py_ssize_t at
        for at in range(len(self.keys)):
            value = PyDict_GetItem(self.space, self.keys[at])
            if value == NULL:
                value = <PyObject*> self.gone
            if value != <PyObject*> self.before[at]:
                return False
        return True

    cdef bint _is_whole_same(self):
        cdef PyObject* value
        cdef PyObject* key
        cdef Py_ssize_t at = 0, place = 0
        if PyDict_Size(self.space) != len(self.before):
            return False
        while PyDict_Next(self.space, &place, &key, &value):
            if value != <PyObject*> self.before[at]:
                return False
            at += 1
        return True


cdef class Glance:
    """See the twin; the arguments are the same."""

    cdef list _spaces, _functions, _cells

    def __init__(self, names, wholes, functions, cells):
        self._spaces = [Space(space, keys, gone) for space, keys, gone in names]
        self._spaces += [Space(_dictionary_of(whole), None, None) for whole in wholes]
        self._functions = [(one, one.__code__, one.__defaults__, one.__kwdefaults__) for one in functions]
        self._cells = [(cell, _contents(cell)) for cell in cells]

    def is_same(self):
        """Return whether everything still is the very same object; equal ones do not count."""
        cdef Space space
        cdef tuple entry
        cdef PyObject* value
        for space in self._spaces:
            if not space.is_same():
                return False
        for entry in self._functions:
            if not _is(PyFunction_GetCode(entry[0]), entry[1]):
                return False
            if not _is(PyFunction_GetDefaults(entry[0]), entry[2]):
                return False
            if not _is(PyFunction_GetKwDefaults(entry[0]), entry[3]):
                return False
        for entry in self._cells:
            value = PyCell_GET(entry[0])
            if value == NULL:
                value = <PyObject*> entry[0]
            if value != <PyObject*> entry[1]:
                return False
        return True


cdef inline bint _is(PyObject* value, object before):
    """Compare what the C API returns, where nothing stands for None."""
    return before is None if value == NULL else value == <PyObject*> before


def _dictionary_of(whole):
    """Return the dictionary itself; that of a class is behind a view that lets nobody write to it."""
    return whole if type(whole) is dict else gc.get_referents(whole)[0]


def _contents(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return cell
