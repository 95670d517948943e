# cython: language_level=3, boundscheck=False, wraparound=False
"""Whether names, functions and closures still hold the very objects that they held; see its twin glance_py.py.

It is asked before each task that is pushed. In Python that costs more than all else that a push does.
"""

from cpython.dict cimport PyDict_GetItem, PyDict_Next, PyDict_Size
from cpython.object cimport PyObject

import gc


cdef extern from "Python.h":
    PyObject* PyFunction_GetCode(object function)
    PyObject* PyFunction_GetDefaults(object function)
    PyObject* PyFunction_GetKwDefaults(object function)
    PyObject* PyCell_GET(object cell)


cdef class Glance:
    """See the twin; the arguments are the same."""

    cdef list _names, _wholes, _functions, _cells

    def __init__(self, names, wholes, functions, cells):
        self._names = [
            (space, keys, tuple([space.get(key, gone) for key in keys]), gone) for space, keys, gone in names
        ]
        self._wholes = [(_dictionary_of(whole), tuple(whole.values())) for whole in wholes]
        self._functions = [(one, one.__code__, one.__defaults__, one.__kwdefaults__) for one in functions]
        self._cells = [(cell, _contents(cell)) for cell in cells]

    def is_same(self):
        """Return whether everything still is the very same object; equal ones do not count."""
        cdef tuple entry, keys, before
        cdef dict space
        cdef PyObject* value
        cdef PyObject* key
        cdef Py_ssize_t at, place
        for entry in self._names:
            space = <dict> entry[0]
            keys = <tuple> entry[1]
            before = <tuple> entry[2]
            for at in range(len(keys)):
                value = PyDict_GetItem(space, keys[at])
                if value == NULL:
                    value = <PyObject*> entry[3]
                if value != <PyObject*> before[at]:
                    return False
        for entry in self._wholes:
            space = <dict> entry[0]
            before = <tuple> entry[1]
            if PyDict_Size(space) != len(before):
                return False
            at = place = 0
            while PyDict_Next(space, &place, &key, &value):
                if value != <PyObject*> before[at]:
                    return False
                at += 1
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
