# For type checkers alone: Python never runs it, and the package belongs to the standard library.
#
# pyright looks for a package in one place after another and takes the first that has an __init__ file. Without
# this one it would find the standard library's and look no further for concurrent.apps and the others.
